"""Whether the store says so when it cannot work, and why."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import Store, StoreUnavailable
from tests.support.store import Databases, StoreMaker, new_receipt

ALL_WELL = {"database": "ok", "schema": "ok", "disk": "ok"}


def make_read_only(store: Store) -> None:
    """Let this process's writes be refused, as those to a read-only file or a standby are."""
    sql = "PRAGMA query_only = 1" if store.kind == "sqlite" else "SET default_transaction_read_only = on"
    store.write(lambda connection: connection.exec_driver_sql(sql))


def test_all_is_well(store: Store) -> None:
    assert store.checks() == ALL_WELL


def test_a_check_leaves_nothing_behind(store: Store) -> None:
    store.checks()

    assert store.heartbeats.latest("probe") == []


def test_a_database_without_a_schema_is_told(databases: Databases, make_store: StoreMaker) -> None:
    store = make_store(databases.empty())

    reason = "there is no schema; run db upgrade"
    assert store.checks() == {"database": reason, "schema": reason, "disk": "ok"}


def test_a_schema_that_does_not_fit_is_told(store: Store) -> None:
    store.write(lambda c: c.exec_driver_sql("UPDATE schema_version SET version_num = '0000'"))

    assert store.checks()["schema"] == "the schema is at 0000, this code at 0002"


def test_a_database_that_takes_no_writes_is_told(store: Store) -> None:
    make_read_only(store)

    checks = store.checks()

    assert checks["schema"] == "ok"
    assert checks["database"] in ("the database is read-only", "the database does not answer or refused")
    with pytest.raises(StoreUnavailable, match=checks["database"]):
        store.receipts.add(new_receipt())


def test_a_commit_of_late_proves_that_writes_are_taken(store: Store) -> None:
    store.receipts.add(new_receipt())
    make_read_only(store)

    assert store.checks() == ALL_WELL


def test_many_may_check_at_once(url: str, make_store: StoreMaker) -> None:
    stores = [make_store(url) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(Store.checks, stores * 4))

    assert told == [ALL_WELL] * 16


def test_a_closed_store_is_told(store: Store) -> None:
    store.close()

    reason = "the store is closed"
    assert store.checks() == {"database": reason, "schema": reason, "disk": "ok"}


def test_too_little_room_is_told_and_refuses_receipts(databases: Databases, make_store: StoreMaker) -> None:
    store = make_store(databases.migrated(), min_free_bytes=2**62)
    if store.kind == "postgresql":  # its disk is not ours to look at
        assert store.checks() == ALL_WELL
        return

    assert store.checks() == {**ALL_WELL, "disk": "too little room is left on the disk"}
    with pytest.raises(StoreUnavailable, match="too little room"):
        store.receipts.add(new_receipt())


def test_a_disk_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(f"sqlite:///{tmp_path}/file/nowhere/wats.sqlite3", min_free_bytes=0, cooperative=False)

    assert store.checks()["disk"] == "the disk cannot be looked at"


def test_a_store_describes_what_it_stands_on(store: Store) -> None:
    told = store.describe()

    assert set(told) == ({"library", "journalMode"} if store.kind == "sqlite" else {"server"})
