"""The supervisor ends a child that works no more, and no other: small children that beat, or do not."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.serving import ROOT, command_line, family, is_alive
from tests.support.systemd import NotifySocket
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS, wait_for

SUPERVISING = Path(__file__).with_name("supervising.py")
SILENT_SECONDS, GRACE_SECONDS = 4, 6
LOOK_SECONDS = 1.2


@dataclass
class Supervised:
    """A supervisor and its children, each named by its behaviour."""

    process: subprocess.Popen[bytes]
    folder: Path

    def pid_of(self, child: str) -> int | None:
        pids = [pid for pid in family(self.process.pid)[1:] if command_line(pid).split()[-1:] == [child]]
        return pids[0] if pids else None

    def beats_of(self, child: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / child).read_text())
        return 0

    def killed(self) -> list[str]:
        """The children that were killed because they were silent."""
        lines = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        return [line["child"] for line in lines if line["event"] == "supervisor.killed_silent"]

    def wait_for_beats(self, child: str) -> None:
        """Wait until it has beaten ten times more."""
        enough = self.beats_of(child) + 10
        wait_for(lambda: self.beats_of(child) >= enough)


@contextlib.contextmanager
def supervised(folder: Path, *children: str, **environ: str) -> Iterator[Supervised]:
    arguments = [str(folder), str(SILENT_SECONDS), str(GRACE_SECONDS), *children]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(SUPERVISING), *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": PYTHONPATH, **environ},
            stderr=log,
        )
    running = Supervised(process, folder)
    wait_for(lambda: all(running.pid_of(child) for child in children))
    pids = family(process.pid)
    try:
        yield running
    finally:
        for pid in {*pids, *family(process.pid)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_a_child_that_is_frozen_or_does_not_stop_is_killed_and_one_that_still_starts_is_not(tmp_path: Path) -> None:
    with supervised(tmp_path, "steady", "stubborn", "slow") as running:
        for child in ("steady", "stubborn"):
            running.wait_for_beats(child)
        before = {child: running.pid_of(child) for child in ("steady", "stubborn", "slow")}

        os.kill(before["steady"] or 0, signal.SIGSTOP)
        os.kill(before["stubborn"] or 0, signal.SIGTERM)

        wait_for(lambda: sorted(running.killed()) == ["steady", "stubborn"])
        for child in ("steady", "stubborn"):
            wait_for(lambda child=child: running.pid_of(child) not in (None, before[child]))
            running.wait_for_beats(child)
        assert running.pid_of("slow") == before["slow"]


def test_nothing_is_killed_when_a_suspended_machine_wakes_up(tmp_path: Path) -> None:
    with supervised(tmp_path, "steady") as running:
        running.wait_for_beats("steady")
        supervisor, child = tree = family(running.process.pid)

        os.kill(child, signal.SIGSTOP)
        time.sleep(LOOK_SECONDS)  # what it has sent is read meanwhile
        os.kill(supervisor, signal.SIGSTOP)
        time.sleep(2 * SILENT_SECONDS)
        os.kill(supervisor, signal.SIGCONT)
        time.sleep(0.3)  # the supervisor looks before the child has gone on
        os.kill(child, signal.SIGCONT)

        running.wait_for_beats("steady")
        time.sleep(SILENT_SECONDS)
        assert running.killed() == []
        assert family(running.process.pid) == tree


def test_a_stop_ends_each_child_and_systemd_is_notified_of_it(tmp_path: Path) -> None:
    with (
        NotifySocket(tmp_path).listening() as systemd,
        supervised(tmp_path, "steady", "stubborn", NOTIFY_SOCKET=systemd.path) as running,
    ):
        pids = family(running.process.pid)
        running.wait_for_beats("stubborn")
        wait_for(lambda: systemd.heard.count("WATCHDOG=1") > 1)

        running.process.terminate()
        code = running.process.wait(DEADLINE_SECONDS)

    assert code == 1  # the stubborn one had to be killed
    assert not any(is_alive(pid) for pid in pids)
    assert systemd.heard[-1] == "STOPPING=1"
