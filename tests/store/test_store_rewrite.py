"""A SQLite file is rewritten: nothing is left in it but what is stored."""

import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.store import StoreUnavailable
from app.store.engine import sqlite
from tests.support.serving import ROOT
from tests.support.sqlite_bytes import bytes_of_files, execute
from tests.support.store import StoreMaker, new_receipt, sqlite_databases

LARGEST_FILE = 2**43


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_databases(tmp_path).migrated()


def move_short_rows_about(url: str) -> list[bytes]:
    """Have SQLite move rows between pages. Return the deleted ones that it leaves copies of."""
    seeded = random.Random(1)
    names = [f"49151{number:07}" + "x" * seeded.randrange(600) for number in range(3000)]
    seeded.shuffle(names)
    gone = [name for name in names if seeded.random() < 0.6]
    with closing(sqlite.driver().connect(sqlite.path_of(url))) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("CREATE TABLE moved (name TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.executemany("INSERT INTO moved VALUES (?)", [(name,) for name in names])
        connection.executemany("DELETE FROM moved WHERE name = ?", [(name,) for name in gone])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    left = bytes_of_files(url)
    return [phone for name in gone if (phone := name[:12].encode()) in left]


def test_a_rewriting_removes_what_sqlite_leaves_when_it_moves_rows(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    store.receipts.add(new_receipt(b"kept"))
    remainders = move_short_rows_about(url)

    store.rewrite_file()

    left = bytes_of_files(url)
    assert remainders != []
    assert [phone for phone in remainders if phone in left] == []
    assert store.receipts.body("rcp_1") == b"kept"
    assert execute(url, "PRAGMA integrity_check") == [("ok",)]


REWRITING = """
import os, signal, sys
from app.store import Store

def die(point):
    assert point == "in_rewriting"
    os.kill(os.getpid(), signal.SIGKILL)

Store(sys.argv[1], min_free_bytes=0, cooperative=False, on_failpoint=die).rewrite_file()
"""


def test_a_rewriting_that_is_killed_leaves_what_was_stored_and_can_be_repeated(
    url: str, make_store: StoreMaker
) -> None:
    store = make_store(url)
    bodies = [os.urandom(200_000) for _ in range(30)]
    store.receipts.add_all([new_receipt(body) for body in bodies])
    store.receipts.add(new_receipt(b"kept"))

    died = subprocess.run([sys.executable, "-c", REWRITING, url], cwd=ROOT, check=False).returncode

    names = [f"rcp_{number}" for number in range(1, 32)]
    after_the_kill = [store.receipts.body(name) for name in names]
    store.rewrite_file()
    assert died == -signal.SIGKILL
    assert sorted(map(bytes, filter(None, after_the_kill))) == sorted([*bodies, b"kept"])
    assert [store.receipts.body(name) for name in names] == after_the_kill
    assert execute(url, "PRAGMA integrity_check") == [("ok",)]
    assert not list(sqlite.path_of(url).parent.glob("*-copy"))


def test_a_rewriting_without_room_changes_nothing(url: str, make_store: StoreMaker) -> None:
    file = sqlite.path_of(url)
    free = shutil.disk_usage(file.parent).free
    os.truncate(file, min(free, LARGEST_FILE))  # a hole: it takes no space
    if 2 * file.stat().st_size <= free:
        pytest.skip("this disk has room for the copy of any file")
    before = file.stat()

    with pytest.raises(StoreUnavailable, match="MB must be free on the disk of the database"):
        make_store(url).rewrite_file()

    assert (file.stat().st_size, file.stat().st_ino) == (before.st_size, before.st_ino)
    assert not list(file.parent.glob("*-copy"))
