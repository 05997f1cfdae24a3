"""The power fails while messages are sent: none is posted twice, and an answer of a while ago is still known."""

import pickle
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.store.engine import sqlite
from tests.faults.power import Change, Disk, write_files
from tests.faults.test_faults_power import cuts
from tests.support.serving import ROOT

SENDER = Path(__file__).parent / "power_sender.py"


def recorded(folder: Path, plant: str) -> list[Change]:
    """What a store that sends messages did to its files, and which messages were posted and beaten when."""
    record = folder / "record"
    sender = [sys.executable, str(SENDER), str(folder / "data"), str(record), plant]
    subprocess.run(sender, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)
    changes: list[Change] = pickle.loads(record.read_bytes())
    return changes


def outcomes(folder: Path, changes: list[Change], *, between: int) -> Counter[str]:
    """What is found after each cut."""
    rng, disk, told = random.Random(), Disk(), {"posted": list[str](), "beaten": list[str]()}
    found: Counter[str] = Counter()
    chosen = cuts(changes, rng, between=between)
    for at, change in enumerate(changes):
        if change[0] == "acknowledge":
            kind, message_id = change[1]  # type: ignore[misc]
            told[kind].append(message_id)
        else:
            disk.take(change)
        if at in chosen:
            for luck in (None, rng):
                found[outcome(folder / "after", disk.after_a_cut(luck), told)] += 1
    return found


def outcome(folder: Path, files: dict[str, bytearray], told: dict[str, list[str]]) -> str:
    """Open what is left, and look for the messages."""
    shutil.rmtree(folder, ignore_errors=True)
    write_files(folder, files)
    connection = sqlite.driver().connect(folder / "wats.sqlite3")
    try:
        query = "SELECT message_id, status FROM messages" if told["posted"] else "SELECT 0, 0 WHERE 0"
        statuses = {f"msg_{bytes(key).hex()}": status for key, status in connection.execute(query)}
    finally:
        connection.close()
    if any(statuses.get(message_id) not in ("sending", "accepted") for message_id in told["posted"]):
        return "sent again"
    return "sound" if all(statuses[message_id] == "accepted" for message_id in told["beaten"]) else "forgotten"


@pytest.mark.parametrize("plant", ["nothing", "no_wal"])
def test_a_power_cut_lets_no_message_be_sent_again_and_takes_no_answer_of_a_while_ago(
    tmp_path: Path, long: bool, plant: str
) -> None:
    if plant == "no_wal" and not long:
        pytest.skip("the long tier cuts the power without WAL too")
    found = outcomes(tmp_path, recorded(tmp_path, plant), between=3000 if long else 20)

    assert set(found) == {"sound"}
    assert found["sound"] > 50


@pytest.mark.parametrize(
    ("plant", "fault"), [("relaxed_reservations", "sent again"), ("relaxed_heartbeats", "forgotten")]
)
def test_a_bug_that_forgets_what_was_sent_would_be_found_out(
    tmp_path: Path, long: bool, plant: str, fault: str
) -> None:
    if not long:
        pytest.skip("the long tier plants bugs")
    found = outcomes(tmp_path, recorded(tmp_path, plant), between=0)

    assert found[fault] > 0
