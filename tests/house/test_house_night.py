"""The commands under "At 2 a.m." in docs/operate.md: run in their order, they print the output below them."""

import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.heartbeat import BEAT_EVERY, Heartbeat
from app.domain.job import Dead, Done, Retry
from app.domain.job_result import QueueSignal
from app.store import Store
from tests.support.deliveries import put_deliveries, settle_all, split_into
from tests.support.events import new_event
from tests.support.live import CONFIG, write_config
from tests.support.serving import ROOT, Running, environment, run, serving

pytestmark = pytest.mark.usefixtures("unmeasured")

PAGE = (ROOT / "docs" / "operate.md").read_text()
NIGHT = PAGE.partition("## At 2 a.m.")[2].partition("\n## ")[0]
SCENE = re.compile(r"```sh\n\.venv/bin/flask wats (.*?)\n```\n+```text\n(.*?)```", re.DOTALL)
SCENES = SCENE.findall(NIGHT)
DESTINATIONS = """
    destinations:
      - { name: crm, url: "http://127.0.0.1:9/hooks", secret: { env: TEST_CRM_SECRET } }
      - { name: bot, url: "http://127.0.0.1:9/bot", format: meta, secret: { env: TEST_CRM_SECRET } }
"""
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"evt_[0-9a-f]{32}"), "EVENT"),
    (re.compile(r"[^\s:]+:\d+ +\d+\.\d+\.\S+"), "WORKER"),
    (re.compile(r"\d+\.\d+"), "SECONDS"),
    (re.compile(r"^version .*$", re.MULTILINE), "VERSION"),
    (re.compile(r"^database\.(schema|head) .*$", re.MULTILINE), "SCHEMA"),
    (re.compile(r"^durationMs .*$", re.MULTILINE), "DURATION"),
    (re.compile(r" +"), " "),
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Store]]:
    """The CRM refuses connections and six deliveries wait; the bot gave up on two; a receipt cannot be read."""
    folder = tmp_path_factory.mktemp("night")
    config = write_config(folder, CONFIG + DESTINATIONS)
    environ = environment(folder, TEST_CRM_SECRET="crm-secret-0c9d", WATS_CONFIG=str(config))
    with serving(folder, "--live", "--yes-live", "--without-worker", environ=environ) as running:
        store = Store(f"sqlite:///{folder}/data/wats.sqlite3", min_free_bytes=0, cooperative=False)
        store.open()
        arrange_the_night(store)
        yield running, store
        store.close()


def arrange_the_night(store: Store) -> None:
    put_deliveries(store, *(new_event(f"dead {number}") for number in range(2)), to=["bot"])
    settle_all(store, Retry(timedelta()), destination="bot", status=500)
    settle_all(store, Dead("gave up"), destination="bot", status=500)
    put_deliveries(store, new_event("fine"), to=["crm", "bot"])
    for name in ("crm", "bot"):
        settle_all(store, Done(), destination=name, status=200, signal=QueueSignal.SUCCESS)
    put_deliveries(store, *(new_event(f"waits {number}") for number in range(6)))
    settle_all(store, Retry(timedelta(minutes=2)), error="connection refused", signal=QueueSignal.FAILURE)
    split_into(store, unreadable="not JSON", body=b"Hello, Meta")


@contextmanager
def worker_alive(store: Store) -> Iterator[None]:
    """Beat like a worker, however long the command takes."""
    over, started_at = threading.Event(), datetime.now(UTC)

    def beat() -> None:
        store.heartbeats.beat(Heartbeat("gateway-1:412", "worker", "0.1.0", started_at, started_at))

    def beat_on() -> None:
        while not over.wait(BEAT_EVERY.total_seconds()):
            beat()

    beat()
    beating = threading.Thread(target=beat_on)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def without_what_varies(text: str) -> list[str]:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_page_has_commands_with_their_output() -> None:
    assert len(SCENES) >= 6


def test_the_commands_of_the_page_print_the_output_below_them(night: tuple[Running, Store]) -> None:
    """It is one test, because each command sees what the commands before it did."""
    running, store = night
    ended = []

    with worker_alive(store):
        for command, _ in SCENES:
            ended.append(run(*shlex.split(command), environ=running.environ))

    printed = [without_what_varies(each.stdout + each.stderr) for each in ended]
    assert printed == [without_what_varies(text) for _, text in SCENES]
