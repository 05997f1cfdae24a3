"""Messages that are accepted and sent by workers that die, stand still or lose their database, and what Meta saw."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.domain.message import queue_of_number
from app.domain.receipt import NewReceipt
from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.control import PREFIX
from app.graph.fake.scripts import set_script
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.switches import set_switches
from app.graph.fake.wire import Call
from app.store import Store, StoreError
from app.store.tables.message_schema import messages
from app.store.tables.messages import history_of
from tests.faults.sending_verdict import Stored, faults_of
from tests.faults.workers import LEASE_SECONDS, Workers
from tests.support.fake_meta import TOKEN, fake_meta
from tests.support.live import LIVE_ENVIRONMENT, PROFILE, write_config
from tests.support.messages import NUMBER
from tests.support.serving import environment
from tests.support.store import UNHURRIED
from tests.support.waiting import wait_for

UNTRACKED = {"failure_has_tracker": False, "line": "cut"}
SCRIPTS: dict[str, dict[str, Any]] = {
    "5026": {"like": "1026", "has_tracker": False},
    "5027": {**UNTRACKED, "steps": [["sent", 0.2], ["failed", 0.7]]},
    "5028": {**UNTRACKED, "steps": [["failed", 0.2], ["sent", 0.7]]},
}
"""Accepted, and failed by a status without our tracker: alone, or after or before one with it that tells the wamid of
a message whose answer was lost."""

ENDINGS = ("4001", "4003", "4007", "2008", "1026", *SCRIPTS)
"""Scripted numbers: accepted, and the line cut; cut before; 502 in HTML; refused; accepted, and failed by a status
with our tracker, or by one without. Every other number is as usual."""

SENDING = """
    graph: {{ baseUrl: "{meta}" }}
    storage: {{ url: "{url}" }}
    sending: {{ windowPolicy: "off", pairBurst: 45, pairSeconds: 1, messagesPerSecond: {rate} }}
"""
STATUSES = {"batch": 100, "batch_seconds": 1.0, "retry_seconds": (0.5,) * 200, "pair_limit": False}
"""Statuses come in batches, again and again until they are taken. To a scripted number more goes than a pair may."""

FREEZE_EVERY, RESTART_EVERY = 20, 40
"""In steps: the database restarts in the first one, a worker stands still in the second one (or the next one)."""


@dataclass
class Scene:
    """A number with messages to send, the workers that accept and send them, and the Meta that they go to."""

    store: Store
    meta: FakeMetaServer
    workers: Workers
    wanted: Path
    count: int
    rate: int
    restarts: int = 0

    def want_more(self, count: int) -> None:
        """Let the workers accept this many messages more."""
        self.count += count
        want(self.wanted, self.count)

    @property
    def is_over(self) -> bool:
        """Whether all is accepted, sent and recorded, and no status is on its way."""
        return not self._open_jobs() and self._accepted() >= self.count and not self._has_statuses()

    @property
    def state(self) -> dict[str, Any]:
        """What the fake knows."""
        return dict(json.loads(self.meta.control.answer(Call("GET", f"{PREFIX}state")).body))

    def faults(self) -> list[str]:
        """What is wrong with the end of this."""
        return faults_of(self._stored(), self.state, self.count, self.rate)

    def summary(self) -> str:
        """How the messages ended, and what happened to those that sent them."""
        ends = Counter(message.status for message in self._stored())
        troubles = f"{self.workers.deaths} deaths, {self.workers.freezes} freezes, {self.restarts} restarts"
        return f"{troubles}, {dict(ends)}, {len(self.state['messages'])} accepted by Meta"

    def _accepted(self) -> int:
        query = select(func.count()).select_from(messages)
        return int(self.store.database.read(lambda c: c.execute(query).scalar_one()))

    def _stored(self) -> list[Stored]:
        columns = messages.c
        query = select(columns.message_id, columns.status, columns.wamid, columns.body, columns.progress)
        return [
            Stored(
                bytes(row.message_id).hex(),
                row.status,
                row.wamid,
                text_of(bytes(row.body)),
                sent_at(bytes(row.progress)),
            )
            for row in self.store.database.read(lambda c: c.execute(query).all())
        ]

    def _open_jobs(self) -> bool:
        return any(depth.queue == queue_of_number(NUMBER) for depth in self.store.jobs.depths())

    def _has_statuses(self) -> bool:
        return bool(self.meta.control.poster.pending) or self.store.receipts.has_pending()


class _Door(ThreadingHTTPServer):
    """Stores webhooks as a web process does, and answers 503 where it cannot."""

    daemon_threads = True

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0), _Storing)
        self.store = store


class _Storing(BaseHTTPRequestHandler):
    server: _Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.server.store.receipts.add_all([NewReceipt(body, datetime.now(UTC), "current")])
            self.send_response(200)
        except StoreError:
            self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextlib.contextmanager
def door_to(store: Store) -> Iterator[str]:
    """Take Meta's webhooks while the block runs. Yield their URL."""
    door = _Door(store)
    thread = threading.Thread(target=door.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.server_address[1]}/"
    finally:
        door.shutdown()
        thread.join()
        door.server_close()


def want(wanted: Path, count: int) -> None:
    """Tell workers in this file to accept messages until there are this many. None reads half a number."""
    told = wanted.with_suffix(".new")
    told.write_text(str(count))
    told.replace(wanted)


def text_of(body: bytes) -> str:
    """Return the text of a message."""
    return str(json.loads(body)["text"]["body"])


def sent_at(progress: bytes) -> tuple[datetime, ...]:
    """Return when a message was marked as being sent, each time."""
    return tuple(entry.at for entry in history_of(json.loads(progress)) if entry.status == "sending")


def recipient(at: int) -> str:
    """Return to whom the message with this number goes: every fifth to a scripted number."""
    return f"+999000{ENDINGS[at // 5 % len(ENDINGS)]}" if at % 5 == 0 else f"+49151{at:07}"


@contextlib.contextmanager
def sending(
    url: str,
    folder: Path,
    *,
    count: int,
    workers: int,
    points: tuple[str, ...] = ("",),
    plant: str = "",
    rate: int = 80,
    has_statuses: bool = True,
) -> Iterator[Scene]:
    """Let workers accept this many messages, each with a key, and send them, while the block runs."""
    store = Store(url, min_free_bytes=0, cooperative=False, limits=UNHURRIED)
    store.open()
    accounts = Accounts(
        numbers=(Number(NUMBER, "1234567890"),),
        app_secret=LIVE_ENVIRONMENT["TEST_APP_SECRET"],
        tokens=frozenset({TOKEN}),
    )
    config = PROFILE.replace('phoneNumberId: "9876543210"', f'phoneNumberId: "{NUMBER}"')
    with door_to(store) as door, fake_meta(door if has_statuses else None, accounts=accounts) as meta:
        set_switches(meta.control.meta.state, STATUSES)
        for ending, script in SCRIPTS.items():
            set_script(meta.control.meta, f"+999000{ending}", [script], is_repeated=True)
        path = write_config(folder, config + SENDING.format(meta=meta.url, url=url, rate=rate))
        environ = environment(folder, WATS_CONFIG=str(path), WATS_MODE="live", WATS_YES_LIVE="1")
        wanted = folder / "wanted"
        want(wanted, count)
        accepting = {"WATS_TEST_WANTED": str(wanted), "WATS_TEST_ACCEPTED": str(folder / "accepted")}
        dying = Workers({**environ, **accepting, "WATS_TEST_PLANT": plant}, folder, workers, points)
        with dying.working():
            yield Scene(store, meta, dying, wanted, count, rate)
    store.close()


def torment(playing: Scene, *, kills: int, restart: Callable[[], None] | None = None) -> None:
    """Let workers die so often: by turns at a named point and at any moment. Some stand still past their leases, and
    the database restarts, if it can. If all is done before, as many messages more are wanted as there were."""
    rng, step, more = random.Random(), 0, playing.count
    while playing.workers.deaths < kills or not playing.workers.freezes:
        if playing.is_over:
            playing.want_more(more)
        step += 1
        deaths = playing.workers.deaths
        wait_for(lambda deaths=deaths: playing.workers.deaths > deaths or playing.is_over)
        if restart is not None and step % RESTART_EVERY == 1:
            restart()
            playing.restarts += 1
        if playing.workers.freezes * FREEZE_EVERY < step - 1:
            with playing.workers.oldest_frozen():
                time.sleep(LEASE_SECONDS + 1)
        if playing.workers.deaths < kills:
            playing.workers.kill_one(rng)
    playing.workers.stop_dying()
