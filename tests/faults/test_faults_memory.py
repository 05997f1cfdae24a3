"""A large SQLite file of older code is upgraded, wiped and rewritten by a process with little memory."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.store.engine import sqlite
from tests.faults.limited_memory import MORE_BYTES
from tests.support.serving import ROOT
from tests.support.store import sqlite_databases

ROW_BYTES, ROWS = 100_000, 2600


def fill_as_older_code(file: Path) -> None:
    """Put in more than fits into the memory, and leave a part of it in free pages."""
    with closing(sqlite.driver().connect(file)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE bulk (content BLOB)")
        numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})"
        connection.execute(f"INSERT INTO bulk {numbers} SELECT randomblob({ROW_BYTES}) FROM numbers")
        connection.execute("DELETE FROM bulk WHERE rowid % 5 = 0")
        connection.execute("PRAGMA user_version = 0")
        connection.commit()


def test_a_file_that_is_larger_than_the_memory_is_upgraded_wiped_and_rewritten(tmp_path: Path, long: bool) -> None:
    if not long:
        pytest.skip("copies a large file: make faults does it")
    url = sqlite_databases(tmp_path).migrated()
    file = sqlite.path_of(url)
    fill_as_older_code(file)
    size = file.stat().st_size
    assert size > 1.5 * MORE_BYTES

    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.limited_memory", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "wiped some" in ended.stdout
    assert file.stat().st_size < 0.9 * size
