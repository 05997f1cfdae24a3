"""Workers and web processes die or stand still under load: no event is lost, none is doubled, none changes its id.

The oracle: what Meta was told 200 for, what a destination saw, and what the store holds.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.job import STANDING_LANES
from app.store import Store
from tests.faults.conftest import STORAGE
from tests.faults.recording import Recording, recording
from tests.faults.test_faults_kills import kill_a_web_process
from tests.faults.workers import Workers
from tests.support.envelopes import change, envelope, in_bytes, inbound_text
from tests.support.live import CONFIG, write_config
from tests.support.postgres import PostgresServer
from tests.support.senders import Senders, senders
from tests.support.serving import FLASK, Running, environment, serving, until
from tests.support.store import Databases, sqlite_databases

LEASE_SECONDS = 5
PAUSE_SECONDS = 0.04
DESTINATION = """    worker: {{ leaseSeconds: 5 }}
    destinations:
      - {{ name: app, url: "http://127.0.0.1:{port}/", secret: {{ env: TEST_DESTINATION_SECRET }} }}
"""
SLOTS = 8
NEW_IN_BATCH = 4


def wamids_in(number: int) -> list[str]:
    """The messages of a webhook: some of its own, and some that others hold too, as when Meta batches anew."""
    own = [f"wamid.{number}.{at}" for at in range(number % NEW_IN_BATCH + 1)]
    return [*own, *(f"wamid.{number - back}.0" for back in (1, 8) if number >= back)]


def body_of(number: int) -> bytes:
    """The webhook with this number; it takes a moment to come, so that the gateway keeps up."""
    time.sleep(PAUSE_SECONDS)
    return in_bytes(envelope(change(messages=[inbound_text(wamid=wamid) for wamid in wamids_in(number)])))


@dataclass
class Scene:
    """A gateway under load: its web processes, its workers, who sends, and who is delivered to."""

    url: str
    running: Running
    workers: Workers
    sent: Senders
    seen: Recording

    def wait_for_deliveries(self, more: int) -> None:
        enough = len(self.seen.posts) + more
        until(lambda: len(self.seen.posts) >= enough, seconds=60)


@contextmanager
def scene(folder: Path, url: str, *, workers: int = 1, **more: str) -> Iterator[Scene]:
    """A scene that plays while the block runs; afterwards it goes on until everything is delivered or dead."""
    with recording() as (seen, port):
        environ = environment(
            folder,
            WATS_CONFIG=str(write_config(folder, CONFIG + STORAGE + DESTINATION.format(port=port))),
            WATS_MODE="live",
            WATS_YES_LIVE="1",
            TEST_DATABASE_URL=url,
            TEST_DESTINATION_SECRET="destination-secret-5b1f",
        )
        serve = (FLASK, "wats", "serve", "--without-worker")
        with (
            serving(folder, command=serve, environ=environ) as running,
            Workers({**environ, **more}, folder, workers).working() as working,
        ):
            with senders(running.port, 4, body_of) as sent:
                yield Scene(url, running, working, sent, seen)
            until(lambda: is_drained(url), seconds=120)


def is_drained(url: str) -> bool:
    with opened(url) as store:
        return not store.receipts.has_pending() and not any(
            depth.waiting + depth.in_flight for depth in store.jobs.depths() if depth.lane not in STANDING_LANES
        )


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url, min_free_bytes=0, cooperative=False)
    store.open()
    try:
        yield store
    finally:
        store.close()


def messages_in_store(url: str) -> list[str]:
    """The message of every event, as often as there are events of it."""
    with opened(url) as store:
        found, last = list[str](), 0
        while events := store.events.after(last, limit=500):
            found += [event.data["id"] for event in events]
            last = events[-1].sequence
        return found


def audit(scene: Scene, *, in_flight: int) -> None:
    """Nothing lost, nothing doubled, and no more POSTs repeated than were in flight when something died."""
    promised = {wamid for number in scene.sent.acknowledged for wamid in wamids_in(number)}
    stored = Counter(messages_in_store(scene.url))
    assert promised - set(stored) == set(), "promised to Meta, and no event"
    assert [wamid for wamid, events in stored.items() if events > 1] == [], "one update, two events"
    assert set(stored) - set(scene.seen.ids_of_message) == set(), "an event that was never delivered"
    assert scene.seen.doubled == [], "one update under two ids"
    assert scene.seen.repeated <= in_flight, "more POSTs repeated than were in flight"


def test_no_event_is_lost_or_doubled_by_random_kills(databases: Databases, tmp_path: Path, long: bool) -> None:
    chance, kills = random.Random(), 100 if long else 8

    with scene(tmp_path, databases.migrated(), workers=2) as playing:
        for number in range(kills):
            playing.wait_for_deliveries(chance.randrange(1, 200 if long else 60))
            if number % 3:
                playing.workers.kill_one(chance)
            else:
                kill_a_web_process(playing.running, chance)

    audit(playing, in_flight=kills * SLOTS)


@pytest.mark.parametrize("point", ["claimed", "handled", "settled", "before_commit", "after_commit"])
def test_no_event_is_lost_or_doubled_by_deaths_at_a_point_of_splitting_and_delivering(
    databases: Databases, tmp_path: Path, long: bool, point: str
) -> None:
    with scene(tmp_path, databases.migrated(), WATS_TEST_DIE_AT=point) as playing:
        until(lambda: playing.workers.deaths >= (30 if long else 4), seconds=240)
        playing.workers.stop_dying()

    audit(playing, in_flight=(playing.workers.deaths + 1) * SLOTS)


def test_a_worker_that_stood_still_past_its_leases_does_no_harm(
    databases: Databases, tmp_path: Path, long: bool
) -> None:
    chance, freezes = random.Random(), 10 if long else 1

    with scene(tmp_path, databases.migrated(), workers=2) as playing:
        for _ in range(freezes):
            playing.wait_for_deliveries(20)
            playing.workers.freeze_one(chance, seconds=LEASE_SECONDS + 2)

    audit(playing, in_flight=freezes * SLOTS)


def test_no_event_is_lost_while_postgresql_restarts_under_load(
    tmp_path: Path, postgres_server: PostgresServer, long: bool
) -> None:
    with scene(tmp_path, postgres_server.migrated_database(), workers=2) as playing:
        for _ in range(6 if long else 2):
            playing.wait_for_deliveries(60)
            postgres_server.kill()
            postgres_server.start()

    audit(playing, in_flight=(6 if long else 2) * 2 * SLOTS)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        ("settle_before_post", "an event that was never delivered"),
        ("dedupe_per_body", "one update, two events"),
    ],
)
def test_a_bug_that_loses_or_doubles_events_would_be_found_out(tmp_path: Path, plant: str, found: str) -> None:
    url = sqlite_databases(tmp_path).migrated()

    with scene(tmp_path, url, WATS_TEST_DIE_AT="claimed", WATS_TEST_PLANT=plant) as playing:
        until(lambda: playing.workers.deaths >= 3, seconds=120)
        playing.workers.stop_dying()

    with pytest.raises(AssertionError, match=found):
        audit(playing, in_flight=1000)
