"""Heartbeats of processes are recorded by the shared clock, listed and deleted."""

from datetime import timedelta

from app.store import Store
from app.store.heartbeats import KEPT_FOR
from tests.support.store import NOON, heartbeat
from tests.support.work import Clock

MINUTE = timedelta(minutes=1)


def test_a_heartbeat_is_recorded_with_the_time_of_the_shared_clock(timed: Store, clock: Clock) -> None:
    clock.advance(MINUTE)

    timed.heartbeats.beat(heartbeat(minute=5))

    assert timed.heartbeats.of_kind("worker") == [heartbeat(minute=1)]
    assert timed.heartbeats.of_kind("worker")[0].started_at.tzinfo is NOON.tzinfo


def test_a_process_is_listed_once_with_its_latest_heartbeat(timed: Store, clock: Clock) -> None:
    for _ in range(3):
        clock.advance(MINUTE)
        timed.heartbeats.beat(heartbeat())

    assert timed.heartbeats.of_kind("worker") == [heartbeat(minute=3)]


def test_a_new_version_replaces_an_old_process_of_the_same_name(store: Store) -> None:
    store.heartbeats.beat(heartbeat("container:1", version="1"))

    store.heartbeats.beat(heartbeat("container:1", version="2"))

    assert [beat.version for beat in store.heartbeats.of_kind("worker")] == ["2"]


def test_the_latest_heartbeat_comes_first(timed: Store, clock: Clock) -> None:
    for process in ("c", "a", "b"):
        timed.heartbeats.beat(heartbeat(process))
        clock.advance(timedelta(seconds=1))

    assert [beat.process for beat in timed.heartbeats.of_kind("worker")] == ["b", "a", "c"]


def test_each_kind_is_listed_by_itself(store: Store) -> None:
    store.heartbeats.beat(heartbeat("a", kind="worker"))
    store.heartbeats.beat(heartbeat("b", kind="other"))

    assert [beat.process for beat in store.heartbeats.of_kind("other")] == ["b"]


def test_a_process_whose_heartbeat_was_deleted_is_not_listed(store: Store) -> None:
    store.heartbeats.beat(heartbeat("a"))
    store.heartbeats.beat(heartbeat("b"))

    store.heartbeats.delete("a")
    store.heartbeats.delete("nobody")

    assert [beat.process for beat in store.heartbeats.of_kind("worker")] == ["b"]


def test_the_heartbeat_of_a_process_silent_for_a_day_is_deleted(timed: Store, clock: Clock) -> None:
    timed.heartbeats.beat(heartbeat("silent"))
    clock.advance(KEPT_FOR + MINUTE)

    timed.heartbeats.beat(heartbeat("new"))

    assert [beat.process for beat in timed.heartbeats.of_kind("worker")] == ["new"]
