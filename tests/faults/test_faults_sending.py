"""Workers die while they accept and send, at named points and at random: Meta accepts no message twice, none is lost,
and each has the last status in the end that Meta has told, or is unknown: only if Meta has never accepted it, or told
it without our tracker."""

from pathlib import Path

import pytest

from tests.faults.sending_scene import Scene, sending, torment
from tests.support.postgres import PostgresServer
from tests.support.store import Databases
from tests.support.waiting import wait_for

POINTS = ("claimed", "posting", "handled", "settled", "before_commit", "after_commit")
"""Marked as being sent and not posted; posted, not answered; answered, not recorded; recorded; and both sides of
every commit: of accepting, claiming, reserving, recording and splitting."""

DAILY_PLANT = "resend_what_was_cut_off"
"""The bug that is planted each day, and found after the death of a worker in a POST."""

FAST, SLOW = 80, 4
"""Messages a second: what a number may send, and what two workers outrun on a busy machine too."""

MAX_SECONDS = 3600
"""Most of the time goes into starting workers again: two seconds each, and ten on a busy machine."""


def test_no_message_is_accepted_twice_and_none_is_lost(
    databases: Databases, tmp_path: Path, long: bool, request: pytest.FixtureRequest
) -> None:
    count, kills, workers = (5000, 200, 4) if long else (100, 6, 2)
    server: PostgresServer | None = None
    if databases.kind == "postgresql":
        server = request.getfixturevalue("postgres_server")

    with sending(databases.migrated(), tmp_path, count=count, workers=workers, points=POINTS) as playing:
        torment(playing, kills=kills, restart=None if server is None else lambda: restart(server))
        wait_for(lambda: playing.is_over, seconds=MAX_SECONDS)
        faults = playing.faults()
        print(databases.kind, playing.summary())

    assert faults == []
    assert playing.workers.deaths >= kills
    assert playing.workers.freezes > 0
    assert playing.restarts > 0 or server is None


def restart(server: PostgresServer) -> None:
    """Let PostgreSQL crash and come again."""
    server.kill()
    server.start()


def test_workers_share_one_pace(databases: Databases, tmp_path: Path, long: bool) -> None:
    if not long:
        pytest.skip("it takes as long as the messages may take")

    with sending(databases.migrated(), tmp_path, count=60, workers=2, rate=SLOW) as playing:
        wait_for(lambda: playing.is_over, seconds=MAX_SECONDS)
        faults = playing.faults()
        print(databases.kind, playing.summary())

    assert faults == []


@pytest.mark.parametrize(
    ("plant", "point", "rate", "found"),
    [
        ("resend_what_is_ambiguous", "", FAST, "again"),
        (DAILY_PLANT, "posting", FAST, "again"),
        ("post_what_is_not_marked", "posting", FAST, "again"),
        ("key_outside_the_transaction", "after_commit", FAST, "was accepted 2 times"),
        ("pace_of_each_process", "", SLOW, "have left at once"),
    ],
)
def test_a_planted_bug_is_found(
    databases: Databases, plant: str, point: str, rate: int, found: str, tmp_path: Path, long: bool
) -> None:
    if not long and plant != DAILY_PLANT:
        pytest.skip("the long tier plants all bugs")
    count, workers = (120, 2) if long else (40, 1)

    with sending(
        databases.migrated(),
        tmp_path,
        count=count,
        workers=workers,
        points=(point,),
        plant=plant,
        rate=rate,
        has_statuses=False,  # a status might tell in time that Meta has the message
    ) as playing:
        wait_for(lambda: is_found(found, playing, more=count), seconds=MAX_SECONDS)
        print(databases.kind, plant, playing.summary())


def is_found(fault: str, playing: Scene, *, more: int) -> bool:
    """Return whether the end would be wrong in this way. If all is done without, more messages are wanted."""
    if playing.is_over:
        playing.want_more(more)
    return any(fault in each for each in playing.faults())
