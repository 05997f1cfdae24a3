"""Heartbeats of processes are recorded, listed and deleted."""

from app.store import Store
from tests.support.store import NOON, heartbeat


def test_a_heartbeat_is_read_as_it_was_recorded(store: Store) -> None:
    store.heartbeats.beat(heartbeat(minute=1))

    assert store.heartbeats.of_kind("worker") == [heartbeat(minute=1)]
    assert store.heartbeats.of_kind("worker")[0].started_at.tzinfo is NOON.tzinfo


def test_a_process_is_listed_once_with_its_latest_heartbeat(store: Store) -> None:
    for minute in range(3):
        store.heartbeats.beat(heartbeat(minute=minute))

    assert store.heartbeats.of_kind("worker") == [heartbeat(minute=2)]


def test_a_new_version_replaces_an_old_process_of_the_same_name(store: Store) -> None:
    store.heartbeats.beat(heartbeat("container:1", version="1"))

    store.heartbeats.beat(heartbeat("container:1", version="2", minute=1))

    assert [beat.version for beat in store.heartbeats.of_kind("worker")] == ["2"]


def test_the_latest_heartbeat_comes_first(store: Store) -> None:
    for process, minute in (("a", 2), ("b", 3), ("c", 1)):
        store.heartbeats.beat(heartbeat(process, minute=minute))

    assert [beat.process for beat in store.heartbeats.of_kind("worker")] == ["b", "a", "c"]


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


def test_the_heartbeat_of_a_process_silent_for_a_day_is_deleted(store: Store) -> None:
    store.heartbeats.beat(heartbeat("silent"))

    store.heartbeats.beat(heartbeat("new", minute=24 * 60 + 1))

    assert [beat.process for beat in store.heartbeats.of_kind("worker")] == ["new"]
