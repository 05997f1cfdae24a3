"""The fake Meta of a dry-run: its state is in the store, and its webhooks come through the gateway's own door."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from app.assembly import build_gateway, build_queues, fake_meta_of
from app.config import Flags, load_settings
from app.config.schema.keys import DRY_RUN
from app.domain.job import FAKE_META_QUEUE, Done, Job
from app.domain.queue import ClaimRequest
from app.domain.receipt import Receipt
from app.domain.send_answer import Accepted, Ambiguous, NotSent
from app.gateway import Gateway
from app.graph.call import GraphRequest, GraphUnreachable
from app.graph.fake.switches import Switches, set_switches
from app.jobs.leases import Leases
from tests.support.fake_meta import message
from tests.support.live import CONFIG, write_config
from tests.support.serving import ROOT
from tests.support.waiting import wait_for
from tests.support.work import LEASE

LOADED_IN = """
import sys
from pathlib import Path
from datetime import timedelta
from app.assembly import build_gateway, build_queues, load_code
from app.config import Flags, load_settings
from app.jobs.leases import Leases
from tests.support.live import LIVE_ENVIRONMENT
_, data, config, mode = sys.argv
environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": data}
live = mode == "live"
settings = load_settings(Flags(config=Path(config), live=live, yes_live=live, dry_run=not live), environ)
load_code(settings)
gateway = build_gateway(settings)
build_queues(gateway, Leases(gateway.store, timedelta(seconds=30)))
import app.factory, app.worker
print(*sys.modules)
"""
"""Prints the modules that a gateway of this mode has loaded before it serves or works."""


@pytest.fixture
def text() -> str:
    return CONFIG


@pytest.fixture
def dry_run(tmp_path: Path, text: str) -> Iterator[Gateway]:
    flags = Flags(config=write_config(tmp_path, text), dry_run=True)
    gateway = build_gateway(load_settings(flags, {"WATS_DATA_DIR": str(tmp_path / "data")}))
    gateway.store.upgrade_schema()
    gateway.store.open()
    set_switches(gateway.store.fake_meta, {"pace": 0})
    yield gateway
    gateway.store.close()


def due(gateway: Gateway) -> list[Job]:
    return gateway.store.jobs.claim(ClaimRequest(FAKE_META_QUEUE, 100, 100), LEASE)


def send(gateway: Gateway, ending: str = "0000") -> object:
    number = gateway.settings.whatsapp.phone_number_ids[0]
    body = json.dumps(message(f"+999000{ending}", biz_opaque_callback_data="wats1.x.1")).encode()
    return fake_meta_of(gateway).client.send(number, "messages", body, lambda: True)


def post_what_is_due(gateway: Gateway) -> None:
    [queue] = [
        queue for queue in build_queues(gateway, Leases(gateway.store, LEASE)) if queue.name == FAKE_META_QUEUE
    ]
    for job in due(gateway):
        assert queue.handle_alone(job).outcome == Done()


def receipts_of(gateway: Gateway) -> list[Receipt]:
    return list(gateway.store.receipts.page(state=None, before=None, limit=100))


def test_what_was_sent_comes_back_as_verified_webhooks(dry_run: Gateway) -> None:
    answer = send(dry_run)
    post_what_is_due(dry_run)

    assert isinstance(answer, Accepted)
    bodies = [json.loads(dry_run.store.receipts.body(receipt.id) or b"") for receipt in receipts_of(dry_run)]
    statuses = [body["entry"][0]["changes"][0]["value"]["statuses"][0] for body in bodies]
    assert {status["status"] for status in statuses} == {"sent", "delivered", "read"}
    assert {(status["id"], status["biz_opaque_callback_data"]) for status in statuses} == {
        (answer.wamid, "wats1.x.1")
    }


@pytest.mark.parametrize("text", [CONFIG + "    dryRun: { windows: strict, duplicates: 1, pace: 0 }\n"])
def test_the_config_says_how_unfriendly_the_fake_meta_is(dry_run: Gateway) -> None:
    send(dry_run)
    post_what_is_due(dry_run)

    [receipt] = receipts_of(dry_run)
    body = json.loads(dry_run.store.receipts.body(receipt.id) or b"")
    [status] = body["entry"][0]["changes"][0]["value"]["statuses"]
    assert (status["status"], status["errors"][0]["code"], receipt.duplicates) == ("failed", 131047, 1)


@pytest.mark.parametrize("text", [CONFIG + "    dryRun: { batch: 2, batchSeconds: 1, rebatch: true, pace: 0 }\n"])
def test_statuses_come_in_batches_and_once_more_in_other_batches(dry_run: Gateway) -> None:
    send(dry_run)
    wait_for(lambda: post_what_is_due(dry_run) or sum(map(len, statuses_of(dry_run))) >= 6)

    webhooks = statuses_of(dry_run)
    assert sorted(status for statuses in webhooks for status in statuses) == sorted(["sent", "delivered", "read"] * 2)
    assert 2 in map(len, webhooks)
    assert dry_run.store.fake_meta.items("batch")
    assert all(waiting == {} for _, waiting in dry_run.store.fake_meta.items("batch"))


@pytest.mark.parametrize(
    ("connection", "answer", "accepted"),
    [
        ("refuse", NotSent("connection refused"), 0),
        ("reset_before_headers", Ambiguous("connection lost before the whole answer"), 0),
        ("reset_after_headers", Ambiguous("connection lost before the whole answer"), 1),
    ],
)
def test_calls_end_as_the_switch_of_connections_says(
    dry_run: Gateway, connection: str, answer: object, accepted: int
) -> None:
    set_switches(dry_run.store.fake_meta, {"connection": connection})

    assert send(dry_run) == answer
    assert len(dry_run.store.fake_meta.items("message")) == accepted
    with pytest.raises(GraphUnreachable) as unreachable:
        fake_meta_of(dry_run).client.call(GraphRequest("GET", "100/message_history"))
    assert unreachable.value.was_sent == (connection != "refuse")


def statuses_of(gateway: Gateway) -> list[list[str]]:
    """Return the statuses in each webhook that has come."""
    bodies = [
        json.loads(gateway.store.receipts.body(receipt.id) or b"")
        for receipt in receipts_of(gateway)
        for _ in range(1 + receipt.duplicates)
    ]
    return [
        [status["status"] for change in body["entry"][0]["changes"] for status in change["value"]["statuses"]]
        for body in bodies
    ]


def test_the_config_has_every_switch_that_a_dry_run_heeds() -> None:
    snake = {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key): key for key in DRY_RUN}
    defaults = asdict(Switches())

    assert defaults.keys() - snake.keys() == {"refuse_seconds", "retry_seconds"}
    assert {name: DRY_RUN[key].default for name, key in snake.items()} == {name: defaults[name] for name in snake}


def test_a_webhook_whose_worker_died_after_it_was_posted_is_not_posted_again(dry_run: Gateway) -> None:
    send(dry_run, "0002")
    [job] = due(dry_run)
    fake = fake_meta_of(dry_run)
    fake.post(job.subject)
    fake.post(job.subject)

    [receipt] = receipts_of(dry_run)
    assert receipt.duplicates == 0


def test_a_webhook_with_a_wrong_signature_is_refused(dry_run: Gateway) -> None:
    set_switches(dry_run.store.fake_meta, {"signed": "wrongly"})
    send(dry_run)
    post_what_is_due(dry_run)

    assert receipts_of(dry_run) == []


def test_the_sent_status_may_arrive_before_the_answer(dry_run: Gateway) -> None:
    send(dry_run, "0005")

    assert len(receipts_of(dry_run)) == 1


def test_processes_agree_on_the_state(dry_run: Gateway) -> None:
    answers = [send(dry_run, "3056") for _ in range(4)]

    assert [isinstance(answer, Accepted) for answer in answers] == [False, False, False, True]


@pytest.mark.parametrize(
    ("mode", "loaded", "others"),
    [
        ("live", "app.graph.client", {"app.graph.fake"}),
        ("dry-run", "app.graph.fake", {"app.graph.client", "urllib3"}),
    ],
)
def test_a_gateway_loads_the_side_that_it_talks_to_and_not_the_other(
    tmp_path: Path, mode: str, loaded: str, others: set[str]
) -> None:
    arguments = [sys.executable, "-c", LOADED_IN, str(tmp_path), str(write_config(tmp_path)), mode]

    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)

    modules = set(done.stdout.split())
    assert loaded in modules
    assert others & modules == set()
