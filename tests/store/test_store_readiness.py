"""Whether the store reports that it cannot work, and why."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import Store, StoreUnavailable
from app.store.migrations.upgrade import no_schema
from tests.support.store import Databases, StoreMaker, new_receipt

ALL_OK = {"database": "ok", "schema": "ok", "disk": "ok"}


def make_read_only(store: Store) -> None:
    """Let the database refuse this process's writes, as a read-only file or a standby does."""
    sql = "PRAGMA query_only = 1" if store.kind == "sqlite" else "SET default_transaction_read_only = on"
    store.write(lambda connection: connection.exec_driver_sql(sql))


def test_every_check_of_a_healthy_store_is_ok(store: Store) -> None:
    assert store.checks() == ALL_OK


def test_a_check_stores_nothing(store: Store) -> None:
    store.checks()

    assert store.heartbeats.of_kind("probe") == []


def test_a_database_without_a_schema_is_reported(databases: Databases, make_store: StoreMaker) -> None:
    store = make_store(databases.empty())

    reason = "there is no schema; run `flask wats db upgrade`"
    assert store.checks() == {"database": reason, "schema": reason, "disk": "ok"}


def test_an_incompatible_schema_is_reported(store: Store) -> None:
    store.write(lambda c: c.exec_driver_sql("UPDATE schema_version SET version_num = '0000'"))

    assert store.checks()["schema"] == f"the schema is at 0000, this code at {no_schema().head}"


def test_a_database_that_refuses_writes_is_reported(store: Store) -> None:
    make_read_only(store)

    checks = store.checks()

    assert checks["schema"] == "ok"
    assert checks["database"] in ("the database is read-only", "the database does not answer or reported an error")
    with pytest.raises(StoreUnavailable, match=checks["database"]):
        store.receipts.add(new_receipt())


def test_a_recent_commit_proves_that_the_database_accepts_writes(store: Store) -> None:
    store.receipts.add(new_receipt())
    make_read_only(store)

    assert store.checks() == ALL_OK


def test_several_threads_and_stores_may_check_at_once(url: str, make_store: StoreMaker) -> None:
    stores = [make_store(url) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(Store.checks, stores * 4))

    assert results == [ALL_OK] * 16


def test_a_closed_store_is_reported(store: Store) -> None:
    store.close()

    reason = "the store is closed"
    assert store.checks() == {"database": reason, "schema": reason, "disk": "ok"}


def test_a_nearly_full_disk_is_reported_and_receipts_are_refused(
    databases: Databases, make_store: StoreMaker
) -> None:
    store = make_store(databases.migrated(), min_free_bytes=2**62)
    if store.kind == "postgresql":  # the store cannot see the server's disk
        assert store.checks() == ALL_OK
        return

    assert store.checks() == {**ALL_OK, "disk": "too little space is left on the disk"}
    with pytest.raises(StoreUnavailable, match="too little space"):
        store.receipts.add(new_receipt())


def test_a_disk_that_cannot_be_measured_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(f"sqlite:///{tmp_path}/file/nowhere/wats.sqlite3", min_free_bytes=0, cooperative=False)

    assert store.checks()["disk"] == "the free space of the disk cannot be read"


def test_a_store_describes_its_database(store: Store) -> None:
    description = store.describe()

    assert set(description) == ({"library", "journalMode"} if store.kind == "sqlite" else {"server"})
