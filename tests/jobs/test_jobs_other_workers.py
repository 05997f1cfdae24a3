"""A worker warns of another one on its SQLite file, and not of one that is dead."""

import pytest

from app.jobs.other_workers import OtherWorkers
from app.store import Store
from tests.support.store import heartbeat


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(line)["worker"] for line in caplog.records if line.getMessage() == "worker.not_alone"]


def test_only_a_worker_whose_heartbeat_moves_is_reported_and_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    ours, alive, dead = (heartbeat(name) for name in ("ours:1", "alive:1", "dead:1"))
    others = OtherWorkers(store, "worker", "ours:1")
    store.heartbeats.beat(dead)

    for _ in range(3):
        store.heartbeats.beat(ours)
        store.heartbeats.beat(alive)
        others.look()

    assert warned(caplog) == (["alive:1"] if store.kind == "sqlite" else [])
