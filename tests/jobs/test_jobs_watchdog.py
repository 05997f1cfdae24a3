"""A process is ended if its event loop hangs or its stop has no end, and not because it was stopped as a whole."""

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


def start(behaviour: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(STALLING), behaviour],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_loop_that_hangs_ends_the_process_with_its_stack() -> None:
    process = start("hang")

    _, error = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == EXIT_STALLED
    assert json.loads(error)["event"] == "worker.stalled"
    assert "hang_in_a_call" in json.loads(error)["trace"]


def test_a_process_that_was_stopped_as_a_whole_goes_on() -> None:
    process = start("freeze")
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)

    output, _ = process.communicate("\n", timeout=DEADLINE_SECONDS)

    assert output == "alive\n"
    assert process.returncode == 0


def test_a_process_that_does_not_stop_in_time_ends_itself() -> None:
    process = start("overdue")

    _, error = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == EXIT_STALLED
    assert json.loads(error)["event"] == "worker.stop_overdue"
