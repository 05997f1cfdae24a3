"""The power fails at any moment: every acknowledged receipt is there afterwards, and the file is sound."""

import pickle
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.domain.receipt import Stored
from app.store import Store
from app.store.engine import sqlite
from tests.faults.power import Change, Disk, write_files
from tests.support.senders import numbered_body
from tests.support.serving import ROOT
from tests.support.store import new_receipt

WRITER = Path(__file__).parent / "power_writer.py"
START_EVERY = 40


def recorded(folder: Path, plant: str) -> list[Change]:
    """What a store that takes receipts in did to its files, and when it acknowledged which."""
    record = folder / "record"
    writer = [sys.executable, str(WRITER), str(folder / "data"), str(record), plant]
    subprocess.run(writer, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)
    changes: list[Change] = pickle.loads(record.read_bytes())
    return changes


def cuts(changes: list[Change], rng: random.Random, *, between: int) -> set[int]:
    """After which changes to cut: at every commit and every acknowledgement, and at this many others."""
    boundaries = {at for at, change in enumerate(changes) if change[0] in ("acknowledge", "sync")}
    others = sorted(set(range(len(changes))) - boundaries)
    return boundaries | set(rng.sample(others, min(between, len(others))))


def outcomes(folder: Path, changes: list[Change], *, between: int) -> Counter[str]:
    """What is found after each cut."""
    rng, disk, acknowledged = random.Random(), Disk(), list[Any]()
    found: Counter[str] = Counter()
    chosen = cuts(changes, rng, between=between)
    for at, change in enumerate(changes):
        if change[0] == "acknowledge":
            acknowledged.append(change[1])
        else:
            disk.take(change)
        if at in chosen:
            for luck in (None, rng):
                files, starts = disk.after_a_cut(luck), at % START_EVERY == 0
                found[outcome(folder / "after", files, acknowledged, starts=starts)] += 1
    return found


def outcome(folder: Path, files: dict[str, bytearray], acknowledged: list[int], *, starts: bool) -> str:
    """Open what is left: SQLite recovers, and what was acknowledged is looked for. Then start, if that is asked."""
    shutil.rmtree(folder, ignore_errors=True)
    write_files(folder, files)
    path = folder / "wats.sqlite3"
    connection = sqlite.driver().connect(path)
    try:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return "damaged"
        query = "SELECT body FROM receipts" if acknowledged else "SELECT 0 WHERE 0"
        stored = {body for (body,) in connection.execute(query)}
    except sqlite.driver().DatabaseError as error:
        return f"unreadable: {error}"
    finally:
        connection.close()
    if not all(numbered_body(number) in stored for number in acknowledged):
        return "lost"
    return "sound" if not starts or is_at_work(path) else "stuck"


def is_at_work(path: Path) -> bool:
    """The next start brings the schema to head and takes a receipt in."""
    store = Store(f"sqlite:///{path}", min_free_bytes=0, cooperative=False)
    store.upgrade_schema()
    store.open()
    try:
        return store.receipts.add(new_receipt(b"after the cut")) == Stored.ACCEPTED
    finally:
        store.close()


@pytest.mark.parametrize("plant", ["nothing", "no_wal"])
def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path, long: bool, plant: str) -> None:
    changes = recorded(tmp_path, plant)

    found = outcomes(tmp_path, changes, between=3000 if long else 100)

    assert set(found) == {"sound"}
    assert found["sound"] > 400


@pytest.mark.parametrize("plant", ["normal_synchronous", "stays_relaxed", "answer_before_commit", "full_without_wal"])
def test_a_bug_that_loses_receipts_to_a_power_cut_would_be_found_out(tmp_path: Path, plant: str) -> None:
    changes = recorded(tmp_path, plant)

    found = outcomes(tmp_path, changes, between=0)

    assert found["lost"] > 0
