"""The gaps in the pages of a SQLite file are overwritten while others read, write, empty the log, or die."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.store import StoreUnavailable
from app.store.engine import sqlite
from app.store.engine.file_lock import FileLock
from app.store.engine.sqlite_gaps import FIRST, GapCleaner
from tests.support.serving import ROOT
from tests.support.sqlite_bytes import PAGE, bytes_of_files, execute, unclean_pages
from tests.support.store import StoreMaker, new_receipt, sqlite_databases

STEP_PAGES = 16
LOCK_SECONDS = 60
MARKS = "SELECT * FROM pragma_user_version"


class Writer:
    """A process that writes beside the cleaning, as far as SQLite can tell: a connection with a memory of its own."""

    def __init__(self, url: str) -> None:
        self.connection: Any = sqlite.driver().connect(sqlite.path_of(url), isolation_level=None)
        self.connection.executescript("PRAGMA secure_delete = ON; PRAGMA cache_size = -64000")
        self.random = random.Random(1)
        self.number = 0

    def add(self, count: int) -> list[str]:
        names = []
        for _ in range(count):
            self.number += 1
            names.append(f"49151{self.number * 7919 % 10**7:07}" + "x" * self.random.randrange(600))
        self._each("INSERT INTO rows (name) VALUES (?)", names)
        return names

    def delete(self, names: list[str]) -> None:
        self._each("DELETE FROM rows WHERE name = ?", names)

    def touch_all(self) -> None:
        """Change a byte of each row in its place: each page is written again as this connection has it in memory."""
        self.connection.execute("UPDATE rows SET touched = 1 - touched")

    def _each(self, sql: str, names: list[str]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(sql, [(name,) for name in names])
        self.connection.execute("COMMIT")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_databases(tmp_path).migrated()


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    writer = Writer(url)
    writer.connection.execute("CREATE TABLE rows (name TEXT PRIMARY KEY, touched INT DEFAULT 0) WITHOUT ROWID")
    yield writer
    writer.connection.close()


@pytest.fixture
def cleaner(url: str) -> Iterator["Cleaning"]:
    cleaning = Cleaning(url)
    yield cleaning
    cleaning.close()


class Cleaning:
    """Steps of a few pages, as the store takes them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = FileLock(sqlite.path_of(url))
        self._gaps = GapCleaner(url, self._lock, LOCK_SECONDS, step_pages=STEP_PAGES)
        self._writer = sqlite.writer_engine(url, lock_seconds=LOCK_SECONDS)

    def step(self) -> int:
        found = self._gaps.find()
        with self._lock.held():
            return self._gaps.clean(found, self._writer)

    def is_complete(self) -> bool:
        return execute(self._url, MARKS) == [(3,)]

    def close(self) -> None:
        self._writer.dispose()
        self._gaps.close()
        self._lock.close()


def leave_copies(url: str, writer: Writer) -> list[bytes]:
    """Add rows and delete many. Return what stands in the file of the deleted ones."""
    names = writer.add(3000)
    writer.random.shuffle(names)
    writer.delete(gone := names[:1800])
    writer.connection.execute("PRAGMA user_version = 1")
    writer.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    left = bytes_of_files(url)
    copies = [key for name in gone if (key := name.encode()[:12]) in left]
    assert len(copies) > 5
    return copies


def left_of(copies: list[bytes], url: str) -> list[bytes]:
    left = bytes_of_files(url)
    return [copy for copy in copies if copy in left]


def test_copies_of_deleted_rows_are_in_no_file_after_the_cleaning(
    url: str, writer: Writer, cleaner: Cleaning
) -> None:
    copies = leave_copies(url, writer)

    while not cleaner.is_complete():
        cleaner.step()

    assert left_of(copies, url) == []
    assert unclean_pages(url) == []
    assert execute(url, "PRAGMA integrity_check") == [("ok",)]


def test_a_process_that_kept_pages_in_memory_does_not_bring_a_copy_back(
    url: str, writer: Writer, cleaner: Cleaning
) -> None:
    copies = leave_copies(url, writer)
    writer.touch_all()

    while not cleaner.is_complete():
        cleaner.step()
    writer.touch_all()

    assert left_of(copies, url) == []


def test_no_copy_is_missed_while_others_write(url: str, writer: Writer, cleaner: Cleaning) -> None:
    copies = leave_copies(url, writer)
    live: list[str] = []

    while not cleaner.is_complete():
        cleaner.step()
        live += writer.add(20)
        writer.random.shuffle(live)
        writer.delete([live.pop() for _ in range(10)])
        writer.touch_all()

    assert left_of(copies, url) == []
    assert execute(url, "PRAGMA integrity_check") == [("ok",)]


def test_a_copy_that_comes_back_to_a_page_that_was_clean_is_overwritten(
    url: str, writer: Writer, cleaner: Cleaning
) -> None:
    leave_copies(url, writer)
    count = sqlite.path_of(url).stat().st_size // PAGE
    while cleaner.step() + STEP_PAGES <= count:
        pass

    gone = writer.add(500)
    writer.delete(gone)
    while not cleaner.is_complete():
        cleaner.step()

    assert unclean_pages(url) == []


def test_the_cleaning_begins_anew_if_the_log_did(url: str, writer: Writer, cleaner: Cleaning) -> None:
    copies = leave_copies(url, writer)
    for _ in range(5):
        before = cleaner.step()
    writer.touch_all()
    writer.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    writer.touch_all()

    after = cleaner.step()
    while not cleaner.is_complete():
        cleaner.step()

    assert before > after == FIRST
    assert left_of(copies, url) == []


def test_a_reader_of_an_older_state_holds_the_cleaning_up_until_it_ends(
    url: str, writer: Writer, cleaner: Cleaning
) -> None:
    copies = leave_copies(url, writer)
    cleaner.step()
    with closing(sqlite.driver().connect(sqlite.path_of(url), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rows").fetchall()
        writer.touch_all()
        held_up = [cleaner.step() for _ in range(3)]

    while not cleaner.is_complete():
        cleaner.step()

    assert len(set(held_up)) == 1
    assert left_of(copies, url) == []


def test_two_processes_that_clean_the_same_file_help_each_other(url: str, writer: Writer, cleaner: Cleaning) -> None:
    copies = leave_copies(url, writer)
    other = Cleaning(url)
    alone = cleaner.step()

    positions = [one.step() for _ in range(3) for one in (cleaner, other)]
    while not cleaner.is_complete():
        other.step()

    other.close()
    assert positions == sorted({alone, *positions})[1:]
    assert left_of(copies, url) == []


CLEANING = """
import os, signal, sys
from app.store import Store

store = Store(sys.argv[1], min_free_bytes=0, cooperative=False, on_failpoint=print)
store.open()
while store.upkeep.clean_gaps() is not None:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_cleaning_that_was_killed_goes_on_in_another_process(
    url: str, writer: Writer, make_store: StoreMaker
) -> None:
    copies = leave_copies(url, writer)

    died = subprocess.run([sys.executable, "-c", CLEANING, url], cwd=ROOT, check=False).returncode
    store = make_store(url)
    needs_more = store.upkeep.clean_gaps()
    while store.upkeep.clean_gaps() is not None:
        pass

    assert (died, needs_more is not None) == (-signal.SIGKILL, True)
    assert left_of(copies, url) == []


def test_the_copy_of_a_rewriting_that_was_killed_is_removed(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    copy = sqlite.path_of(url).with_name("wats.sqlite3-copy")
    copy.write_text("of a customer who is erased")
    execute(url, "PRAGMA user_version = 1")

    while store.upkeep.clean_gaps() is not None:
        pass

    assert not copy.exists()


@pytest.mark.usefixtures("affected_library")
def test_without_a_log_the_whole_file_is_cleaned_at_once(url: str, make_store: StoreMaker, writer: Writer) -> None:
    copies = leave_copies(url, writer)
    writer.connection.close()
    store = make_store(url)
    store.upgrade_schema()

    steps = [store.upkeep.clean_gaps(), store.upkeep.clean_gaps()]

    assert steps == [sqlite.path_of(url).stat().st_size // PAGE + 1, None]
    assert left_of(copies, url) == []


def test_a_file_whose_pages_cannot_be_told_apart_is_left_alone(url: str, make_store: StoreMaker) -> None:
    with closing(sqlite.driver().connect(sqlite.path_of(url))) as connection:
        connection.executescript("PRAGMA auto_vacuum = FULL; VACUUM; PRAGMA user_version = 1")
    store = make_store(url)
    store.receipts.add(new_receipt(b"kept"))

    with pytest.raises(StoreUnavailable, match="flask wats db rewrite"):
        store.upkeep.clean_gaps()

    assert store.receipts.body("rcp_1") == b"kept"


def test_a_file_that_was_replaced_is_not_written(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    execute(url, "PRAGMA user_version = 1")
    store.upkeep.clean_gaps()
    file = sqlite.path_of(url)
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)

    with pytest.raises(StoreUnavailable, match="replaced"):
        store.upkeep.clean_gaps()

    assert file.read_bytes() == content
