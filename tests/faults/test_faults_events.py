"""Workers and web processes die or stand still under load: no event is lost, none is doubled, none changes its id."""

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.engine import sqlite
from app.store.engine.file_lock import FileLock
from tests.faults.recording import Gate
from tests.faults.scene import AT_RISK, Scene, audit, scene, undelivered, updates_in
from tests.faults.test_faults_kills import kill_a_web_process
from tests.faults.workers import CLAIMED_AHEAD, LEASE_SECONDS, RETRY_SECONDS, SLOTS
from tests.support.postgres import PostgresServer
from tests.support.store import Databases, sqlite_databases
from tests.support.waiting import wait_for

BACKLOG = 120
POINTS = ("claimed", "handled", "settled", "before_commit", "after_commit")


def test_no_event_is_lost_or_doubled_by_random_kills(databases: Databases, tmp_path: Path, long: bool) -> None:
    rng, kills = random.Random(), 60 if long else 5

    with scene(tmp_path, databases.migrated()) as playing:
        for number in range(kills):
            playing.wait_for_posts(rng.randrange(1, 250 if long else 60))
            if number % 4:
                playing.workers.kill_one(rng)
            else:
                playing.web_kills += kill_a_web_process(playing.running, rng)

    audit(playing, at_risk=playing.workers.deaths * AT_RISK)


def test_no_event_is_lost_or_doubled_by_deaths_at_any_point_of_splitting_and_delivering(
    databases: Databases, tmp_path: Path, long: bool
) -> None:
    with scene(tmp_path, databases.migrated(), points=POINTS) as playing:
        playing.wait_for_deaths((10 if long else 1) * len(POINTS))

    audit(playing, at_risk=playing.workers.deaths * AT_RISK)


def test_what_a_killed_worker_had_claimed_ahead_is_delivered_by_another(databases: Databases, tmp_path: Path) -> None:
    with scene(tmp_path, databases.migrated(), workers=1, threads=0, points=(CLAIMED_AHEAD, "")) as playing:
        gate = playing.seen.hold()
        for number in range(BACKLOG):
            playing.send(number)
        wait_for(lambda: playing.seen.posts.total() == SLOTS)
        gate.answer(200)  # of a backlog more is claimed the faster it is delivered
        wait_for(lambda: playing.workers.deaths == 1)

    audit(playing, at_risk=AT_RISK)
    assert undelivered(playing.url) == []


def test_a_worker_that_stood_still_past_its_leases_does_no_harm(
    databases: Databases, tmp_path: Path, long: bool
) -> None:
    freezes = 10 if long else 1

    with scene(tmp_path, databases.migrated()) as playing:
        for number in range(freezes):
            playing.wait_for_posts(20)
            with playing.workers.one_frozen(number % 2):
                time.sleep(LEASE_SECONDS + 1)

    audit(playing, at_risk=freezes * AT_RISK)


def test_no_event_is_lost_while_postgresql_restarts_under_load(
    tmp_path: Path, postgres_server: PostgresServer, long: bool
) -> None:
    at_risk = 0

    with scene(tmp_path, postgres_server.migrated_database()) as playing:
        for _ in range(6 if long else 1):
            playing.wait_for_posts(60)
            before = playing.seen.posts.total()
            postgres_server.execute(
                "CHECKPOINT"
            )  # of the commits that did not wait for the disk, the later ones are lost
            postgres_server.kill()
            at_risk += playing.seen.posts.total() - before + 2 * AT_RISK
            postgres_server.start()

    audit(playing, at_risk=at_risk)


def test_a_worker_that_stood_still_between_a_post_and_its_end_settles_nothing_of_anothers(
    databases: Databases, tmp_path: Path
) -> None:
    with scene(tmp_path, databases.migrated(), workers=1, threads=0) as playing:
        gate = stand_still_before_settling(playing)
        time.sleep(2 * RETRY_SECONDS)  # what was settled wrongly would be due again
        gate.answer(200)

    audit(playing, at_risk=len(updates_in(0)))


def stand_still_before_settling(playing: Scene) -> Gate:
    """Let a worker's POSTs fail while it stands still. When it goes on, another worker has the same jobs in flight.

    Return the gate where the POSTs of the other worker wait, once the first has dealt with its failures.
    """
    first = playing.seen.hold()
    playing.send(0)
    wait_for(lambda: playing.seen.posts.total() == len(updates_in(0)))
    with contextlib.ExitStack() as frozen:
        with nobody_writing(playing.url):
            frozen.enter_context(playing.workers.one_frozen(0))
        second = playing.seen.hold()
        first.answer(404)
        playing.workers.add_one()
        playing.wait_for_posts(len(updates_in(0)))
    wait_for(lambda: playing.workers.log.count('"status":404') == len(updates_in(0)))
    return second


@contextlib.contextmanager
def nobody_writing(url: str) -> Iterator[None]:
    """A process that is frozen while it holds the write lock of SQLite keeps all others from writing."""
    with FileLock(sqlite.path_of(url)).held() if url.startswith("sqlite:") else contextlib.nullcontext():
        yield


@pytest.mark.parametrize(
    ("plant", "point", "found"),
    [
        ("settle_before_post", "claimed", "an event that was never delivered"),
        ("dedupe_per_body", "claimed", "one update, two events"),
        ("dedupe_outside_the_transaction", "remembered", "promised to Meta, and no event"),
    ],
)
def test_a_bug_that_loses_or_doubles_events_would_be_found_out(
    tmp_path: Path, plant: str, point: str, found: str
) -> None:
    url = sqlite_databases(tmp_path).migrated()

    with scene(tmp_path, url, points=[point], plant=plant) as playing:
        playing.wait_for_deaths(3)

    with pytest.raises(AssertionError, match=found):
        audit(playing, at_risk=1000)


def test_a_settlement_without_a_fence_would_be_found_out(tmp_path: Path) -> None:
    url = sqlite_databases(tmp_path).migrated()

    with scene(tmp_path, url, workers=1, threads=0, plant="no_fence") as playing:
        gate = stand_still_before_settling(playing)
        playing.wait_for_posts(1)
        gate.answer(200)

    with pytest.raises(AssertionError, match="more POSTs repeated than were at risk"):
        audit(playing, at_risk=len(updates_in(0)))
