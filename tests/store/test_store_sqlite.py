"""What is SQLite's own: a safe library, private files, a lock, and translated errors."""

import logging
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as bundled
from sqlalchemy import Connection

from app.store import Limits, Store, StoreRefused, StoreUnavailable
from app.store.engine import sqlite
from app.store.engine.sqlite import driver, has_wal_reset_bug
from tests.support.store import StoreMaker, new_receipt, sqlite_databases, unavailable
from tests.support.waiting import DEADLINE_SECONDS

IMPATIENT = Limits(lock_seconds=0.05)
MOVED = "the database file, or its log, was moved or replaced while it was open"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_databases(tmp_path).migrated()


def pragma(store: Store, name: str) -> object:
    """The value of a pragma on the writer's connection."""
    return store.write(lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar_one())


@contextmanager
def locked(url: str, how: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Let another program hold SQLite's own lock."""
    connection = driver().connect(sqlite.path_of(url), isolation_level=None)
    connection.execute(how)
    try:
        yield
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 44, 9), False),
        ((3, 45, 0), True),
        ((3, 49, 2), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_versions_with_the_wal_reset_bug_are_recognised(version: tuple[int, ...], affected: bool) -> None:
    assert has_wal_reset_bug(version) is affected


def test_the_library_in_use_is_safe() -> None:
    assert not has_wal_reset_bug(driver().sqlite_version_info)


def test_a_commit_is_on_disk_in_wal_mode(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    pragmas = {name: pragma(store, name) for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size")}

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0}


def test_a_library_with_the_bug_gets_no_wal_and_a_log_line_says_so(
    tmp_path: Path, make_store: StoreMaker, affected_library: None, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(sqlite_databases(tmp_path).empty())

    store.upgrade_schema()

    assert pragma(store, "journal_mode") == "delete"
    assert pragma(store, "synchronous") == 3  # EXTRA: the deletion of the rollback journal is the commit
    assert store.checks() == {"database": "ok", "schema": "ok", "disk": "ok"}
    [line] = [record for record in caplog.records if record.name == "app.store.engine.sqlite"]
    assert (line.message, line.levelno) == ("store.wal_refused", logging.WARNING)
    assert re.fullmatch(r"SQLite [0-9.]+ has the WAL-reset bug; using DELETE", vars(line)["reason"])


def test_a_wal_database_is_unsafe_with_such_a_library_until_it_is_upgraded(
    url: str, make_store: StoreMaker, affected_library: None
) -> None:
    store = Store(url, min_free_bytes=0, cooperative=False)
    make_store(url)
    store.open()
    before = store.checks()["schema"]
    store.close()

    store.upgrade_schema()

    store.open()
    assert before == "the journal mode is not safe with this SQLite; run db upgrade"
    assert store.checks()["schema"] == "ok"
    store.close()


def test_the_newer_of_two_libraries_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "sqlite_version_info", (3, 0, 0))

    assert driver() is sqlite3


def test_only_their_user_may_read_the_files(url: str, make_store: StoreMaker) -> None:
    make_store(url).receipts.add(new_receipt())

    folder = sqlite.path_of(url).parent
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(
        ("wats.sqlite3", "wats.sqlite3-lock", "wats.sqlite3-shm", "wats.sqlite3-wal"), "0o600"
    )


@pytest.mark.parametrize("name", ["with space", "100%25", "ünï#côdé"])
def test_any_folder_name_works(tmp_path: Path, make_store: StoreMaker, name: str) -> None:
    store = make_store(sqlite_databases(tmp_path / name).migrated())

    store.receipts.add(new_receipt())

    assert sqlite.path_of(store._url).stat().st_size > 0
    assert sqlite.path_of(store._url).with_name("wats.sqlite3-wal").stat().st_size > 0


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path, make_store: StoreMaker) -> None:
    (tmp_path / "file").touch()
    store = make_store(f"sqlite:///{tmp_path}/file/wats.sqlite3")

    for act in (lambda: store.receipts.add(new_receipt()), store.upgrade_schema):
        with unavailable("the database's folder or file cannot be opened"):
            act()


def test_a_file_that_is_no_database_breaks_the_store(tmp_path: Path, make_store: StoreMaker) -> None:
    path = tmp_path / "wats.sqlite3"
    path.write_bytes(b"no database" * 1000)
    store = make_store(f"sqlite:///{path}")

    with unavailable("the database file holds no SQLite database; restore a backup, or name another file"):
        store.receipts.add(new_receipt())
    path.write_bytes(b"")
    with unavailable("the database was broken before; this process must end"):
        store.receipts.add(new_receipt())


@pytest.mark.parametrize("replaced", [False, True], ids=["moved away", "replaced"])
def test_a_file_that_was_moved_or_replaced_accepts_no_write(
    tmp_path: Path, make_store: StoreMaker, *, replaced: bool
) -> None:
    databases = sqlite_databases(tmp_path)
    url = databases.migrated()
    path = sqlite.path_of(url)
    store = make_store(url)
    store.receipts.add(new_receipt(b"kept"))
    assert store.receipts.counts().total == 1

    path.rename(tmp_path / "moved.sqlite3")
    if replaced:
        path.touch()
    with unavailable(MOVED):
        store.receipts.add(new_receipt(b"would be lost"))

    assert store.is_broken
    assert path.exists() == replaced


def test_a_database_whose_log_was_moved_accepts_no_write(tmp_path: Path, make_store: StoreMaker) -> None:
    store = make_store(sqlite_databases(tmp_path).migrated())
    store.receipts.add(new_receipt(b"kept"))

    log_of(store).rename(tmp_path / "moved-wal")

    with unavailable(MOVED):
        store.receipts.add(new_receipt(b"would be lost"))


def test_a_moved_file_is_not_read(tmp_path: Path, make_store: StoreMaker) -> None:
    store = make_store(sqlite_databases(tmp_path).migrated())
    assert store.receipts.counts().total == 0

    sqlite.path_of(store._url).rename(tmp_path / "moved.sqlite3")

    with unavailable(MOVED):
        store.receipts.counts()


def test_the_log_of_a_file_that_was_moved_away_is_kept(tmp_path: Path, make_store: StoreMaker) -> None:
    url, moved = sqlite_databases(tmp_path).migrated(), tmp_path / "moved.sqlite3"
    path = sqlite.path_of(url)
    running = make_store(url)
    running.receipts.add(new_receipt(b"in the log alone"))
    path.rename(moved)

    started_again = make_store(url)
    for act in (lambda: started_again.receipts.add(new_receipt()), started_again.upgrade_schema):
        with unavailable(
            "the database file is gone and its -wal file is there; put the database file back beside it"
        ):
            act()
    assert started_again.checks()["database"].startswith("the database file is gone")
    assert not path.exists()

    moved.rename(path)
    assert started_again.receipts.counts().total == 1


def test_only_an_upgrade_creates_a_file(tmp_path: Path, make_store: StoreMaker) -> None:
    store = make_store(sqlite_databases(tmp_path).empty())

    with unavailable("there is no schema; run `flask wats db upgrade`"):
        store.receipts.counts()
    with unavailable("there is no schema; run `flask wats db upgrade`"):
        store.receipts.add(new_receipt())

    assert not sqlite.path_of(store._url).exists()


def log_of(store: Store) -> Path:
    path = sqlite.path_of(store._url)
    return path.with_name(path.name + "-wal")


def test_waiting_for_another_programs_lock_has_a_limit(url: str, make_store: StoreMaker) -> None:
    store = make_store(url, limits=IMPATIENT)

    with locked(url):
        with unavailable("the database is locked"):
            store.receipts.add(new_receipt(b"secret"))
        assert store.checks()["database"] == "the database is locked"
        assert store.receipts.counts().total == 0

    store.receipts.add(new_receipt(b"secret"))
    assert store.receipts.counts().total == 1


def test_a_lock_against_readers_is_reported(url: str, make_store: StoreMaker) -> None:
    store = make_store(url, limits=IMPATIENT)
    with locked(url, "PRAGMA locking_mode = EXCLUSIVE"):
        pass
    other = driver().connect(sqlite.path_of(url), isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with unavailable("the database is locked"):
        store.receipts.counts()
    assert store.checks()["schema"] == "the database is locked"
    other.close()


def test_a_commit_that_fails_is_rolled_back_and_the_next_succeeds(
    tmp_path: Path, make_store: StoreMaker, affected_library: None
) -> None:
    """Without WAL a reader blocks the commit itself: the transaction is still open when it fails."""
    url = sqlite_databases(tmp_path).migrated()
    store = make_store(url, limits=IMPATIENT)
    reader = driver().connect(sqlite.path_of(url), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM receipts").fetchall()

    with unavailable("the database is locked"):
        store.receipts.add(new_receipt(b"never"))
    reader.close()
    store.receipts.add(new_receipt(b"stored"))

    [receipt] = store.receipts.page(state=None, before=None, limit=9)
    assert store.receipts.body(receipt.id) == b"stored"


def test_a_full_disk_is_reported_and_nothing_is_stored(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    pages = pragma(store, "page_count")
    pragma(store, f"max_page_count = {pages}")

    with unavailable("the disk is full"):
        store.receipts.add_all([new_receipt(b"x"), new_receipt(b"y" * 100_000)])
    assert store.receipts.counts().total == 0

    pragma(store, f"max_page_count = {2**30}")
    store.receipts.add(new_receipt(b"y" * 100_000))
    assert store.receipts.counts().total == 1


def test_an_error_message_holds_no_sql_value_or_path(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    def run_bad_sql(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT secret FROM nowhere WHERE x = ?", ("value",))

    with pytest.raises(StoreUnavailable) as error:
        store.write(run_bad_sql)

    assert str(error.value) == "the database reported an error"


def test_data_that_the_database_refuses_does_not_break_the_store(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    same_key = "INSERT INTO schema_compatibility VALUES (NULL)"

    with pytest.raises(StoreRefused, match=r"^the database refused what it was given \(SQLITE_CONSTRAINT\)$"):
        store.write(lambda c: c.exec_driver_sql(same_key))

    store.receipts.add(new_receipt())


def test_closing_waits_for_the_write_that_is_running(url: str, make_store: StoreMaker) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def pause(point: str) -> None:
        if point == "before_commit":
            writing.set()
            go_on.wait(DEADLINE_SECONDS)

    store = make_store(url, on_failpoint=pause)
    outcome: list[object] = []
    adding = threading.Thread(target=lambda: outcome.append(store.receipts.add(new_receipt())))
    adding.start()
    writing.wait(DEADLINE_SECONDS)
    closing = threading.Thread(target=store.close)
    closing.start()

    go_on.set()
    adding.join(DEADLINE_SECONDS)
    closing.join(DEADLINE_SECONDS)

    assert outcome == ["accepted"]
    assert make_store(url).receipts.counts().total == 1


def test_threads_of_one_process_write_one_after_another(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    def add(number: int) -> None:
        for at in range(20):
            store.receipts.add(new_receipt(b"%d" % at))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    page = store.receipts.page(state=None, before=None, limit=100)
    assert [receipt.duplicates for receipt in page] == [7] * 20
