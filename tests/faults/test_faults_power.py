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

from app.store import sqlite
from tests.faults.power import Change, Disk, write_files
from tests.support.senders import numbered_body
from tests.support.serving import ROOT

WRITER = Path(__file__).parent / "power_writer.py"


def recorded(folder: Path, plant: str) -> list[Change]:
    """What a store that takes receipts in did to its files, and when it acknowledged which."""
    record = folder / "record"
    writer = [sys.executable, str(WRITER), str(folder / "data"), str(record), plant]
    subprocess.run(writer, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)
    changes: list[Change] = pickle.loads(record.read_bytes())
    return changes


def cuts(changes: list[Change], chance: random.Random, *, between: int) -> set[int]:
    """After which changes to cut: at every commit and every acknowledgement, and at so many others."""
    boundaries = {at for at, change in enumerate(changes) if change[0] in ("acknowledge", "sync")}
    others = sorted(set(range(len(changes))) - boundaries)
    return boundaries | set(chance.sample(others, min(between, len(others))))


def outcomes(folder: Path, changes: list[Change], *, between: int) -> Counter[str]:
    """What is found after each cut."""
    chance, disk, acknowledged = random.Random(), Disk(), list[Any]()
    found: Counter[str] = Counter()
    chosen = cuts(changes, chance, between=between)
    for at, change in enumerate(changes):
        if change[0] == "acknowledge":
            acknowledged.append(change[1])
        else:
            disk.take(change)
        if at in chosen:
            for luck in (None, chance):
                found[outcome(folder / "after", disk.after_a_cut(luck), acknowledged)] += 1
    return found


def outcome(folder: Path, files: dict[str, bytearray], acknowledged: list[int]) -> str:
    """Open what is left, as the next start would: SQLite recovers, and what was acknowledged is looked for."""
    shutil.rmtree(folder, ignore_errors=True)
    write_files(folder, files)
    if not acknowledged:
        return "sound"
    connection = sqlite.driver().connect(folder / "wats.sqlite3")
    try:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return "damaged"
        stored = {body for (body,) in connection.execute("SELECT body FROM receipts")}
    except sqlite.driver().DatabaseError as error:
        return f"unreadable: {error}"
    finally:
        connection.close()
    return "sound" if all(numbered_body(number) in stored for number in acknowledged) else "lost"


@pytest.mark.parametrize("plant", ["nothing", "no_wal"])
def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path, long: bool, plant: str) -> None:
    changes = recorded(tmp_path, plant)

    found = outcomes(tmp_path, changes, between=3000 if long else 300)

    assert set(found) == {"sound"}
    assert found["sound"] > 600


@pytest.mark.parametrize("plant", ["normal_synchronous", "answer_before_commit", "full_without_wal"])
def test_a_bug_that_loses_receipts_to_a_power_cut_would_be_found_out(tmp_path: Path, plant: str) -> None:
    changes = recorded(tmp_path, plant)

    found = outcomes(tmp_path, changes, between=100)

    assert found["lost"] > 0
