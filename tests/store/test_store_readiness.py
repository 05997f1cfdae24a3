"""Whether the store reports that it cannot work, and why."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import Store, StoreUnavailable
from app.store.disk import refuse_full_disk
from app.store.migrations.upgrade import no_schema
from tests.support.postgres import PostgresServer
from tests.support.serving import ROOT
from tests.support.store import Databases, StoreMaker, new_receipt, sqlite_databases

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


def test_a_full_disk_is_not_ready_although_the_probe_rolls_back(tmp_path: Path, make_store: StoreMaker) -> None:
    store = make_store(sqlite_databases(tmp_path).migrated())
    pages = store.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
    store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))

    full = store.checks()
    store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {2**30}"))

    assert full == {**ALL_OK, "database": "the disk is full"}
    assert store.checks() == ALL_OK


def test_after_a_commit_that_failed_the_probe_looks_for_room_on_the_server_too(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    url = postgres_server.migrated_database()
    store, database = make_store(url), url.rpartition("/")[2]
    postgres_server.execute(FULL_DISK, database=database)

    before = store.checks()
    with pytest.raises(StoreUnavailable):
        store.receipts.add(new_receipt(b"x" * 100_000))
    after = store.checks()
    postgres_server.execute("DROP FUNCTION refuse_large() CASCADE", database=database)

    assert before == ALL_OK
    assert after["database"] != "ok"
    assert [store.checks(), store.checks()] == [ALL_OK] * 2


FULL_DISK = """
CREATE FUNCTION refuse_large() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_column_size(NEW.*) > 50000 THEN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_large();
CREATE TRIGGER full_disk BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION refuse_large();
"""
"""A server that has room for small rows only."""


def test_looking_for_room_leaves_no_file(tmp_path: Path) -> None:
    refuse_full_disk(tmp_path)

    assert list(tmp_path.iterdir()) == []


LOOK_FOR_ROOM = """
import sys
from pathlib import Path
from app.store import StoreUnavailable
from app.store.disk import refuse_full_disk
try:
    refuse_full_disk(Path(sys.argv[1]))
except StoreUnavailable as error:
    print(error)
"""


def test_a_file_system_without_room_is_a_full_disk(tmp_path: Path) -> None:
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    fill = '{ cat /dev/zero > "$1/ballast" 2> /dev/null || exec "$2" -c "$3" "$1"; }'
    mount = f'mount -t tmpfs -o size=1m tmpfs "$1" && {fill}'
    command = ["unshare", *user, "--mount", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, LOOK_FOR_ROOM]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    if re.search("permission denied|not permitted", ended.stderr, re.IGNORECASE):
        pytest.skip("this machine lets nobody mount a file system")
    assert (ended.stdout, ended.returncode) == ("the disk is full\n", 0), ended.stderr
