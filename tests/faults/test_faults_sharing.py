"""What workers share stays shared while they die with claims: a destination's places, a conversation's order."""

from pathlib import Path

import pytest

from tests.faults.recording import Recording
from tests.faults.scene import AT_RISK, CUSTOMERS, audit, scene, undelivered
from tests.support.store import Databases

POINTS = ("claimed", "handled", "settled")
"""Where a worker dies that holds claims: of the job in flight, and of those behind it that it has claimed ahead."""


def play_with_deaths(folder: Path, url: str, *, long: bool, options: str) -> Recording:
    """Let workers die, and return what the destination saw. Until its leases are over, no other has what one held."""
    points, deaths = (POINTS, 10 * len(POINTS)) if long else (["handled"], 1)
    with scene(folder, url, threads=1, points=points, options=options) as playing:
        playing.wait_for_deaths(deaths)
    audit(playing, at_risk=playing.workers.deaths * AT_RISK)
    assert undelivered(playing.url) == []
    return playing.seen


def test_two_workers_share_the_only_place_of_a_destination_whoever_dies(
    databases: Databases, tmp_path: Path, long: bool
) -> None:
    if not long and databases.kind == "sqlite":
        pytest.skip("every day on PostgreSQL, where workers claim at the same time")

    seen = play_with_deaths(tmp_path, databases.migrated(), long=long, options="maxInFlight: 1")

    assert seen.most_at_once == 1


def test_each_conversation_comes_in_order_one_event_at_a_time_whoever_dies(
    databases: Databases, tmp_path: Path, long: bool
) -> None:
    if not long:
        pytest.skip("test_jobs_ahead.py looks at it every day, without deaths")

    seen = play_with_deaths(tmp_path, databases.migrated(), long=long, options="ordering: conversation")

    assert seen.most_of_a_customer == 1
    assert 1 < seen.most_at_once <= len(CUSTOMERS)
    assert seen.overtaken == []
