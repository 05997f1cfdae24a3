"""A worker whose loop has stopped turning is ended; one that only stood still is not."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.jobs.watchdog import EXIT_STALLED
from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

STALLING = Path(__file__).parent / "stalling.py"


def start(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(STALLING), how],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_loop_that_stops_turning_ends_the_process_and_says_where() -> None:
    process = start("hang")

    _, said = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == EXIT_STALLED
    assert json.loads(said)["event"] == "worker.stalled"
    assert "hang_in_a_call" in json.loads(said)["trace"]


def test_a_process_that_was_frozen_as_a_whole_goes_on() -> None:
    process = start("freeze")
    assert process.stdout is not None
    assert process.stdout.readline() == "turning\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)

    out, _ = process.communicate("\n", timeout=DEADLINE_SECONDS)

    assert out == "alive\n"
    assert process.returncode == 0


def test_a_watchdog_that_was_stopped_ends_nothing() -> None:
    process = start("stop")

    out, _ = process.communicate(timeout=DEADLINE_SECONDS)

    assert out == "turning\nalive\n"
    assert process.returncode == 0
