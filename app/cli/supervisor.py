"""The parent of the gateway's processes: starts them, restarts the worker, and sees that none outlives another.

It waits for signals instead of handling them, so that nothing happens between two lines.
As PID 1 it also reaps the orphans that a container's init must reap.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WAITED_FOR = STOPPING | {signal.SIGCHLD, signal.SIGALRM}
PR_SET_PDEATHSIG = 1
MIN_DELAY, MAX_DELAY, HEALTHY_SECONDS = 0.5, 30.0, 10.0
MIN_WAIT = 0.001
SIGNAL_BASE = 128


@dataclass
class Child:
    """A process to keep alive. When one that `essential` ends, everything ends; any other is started again."""

    name: str
    command: Sequence[str]
    essential: bool = False
    pid: int | None = None
    started: float = 0.0
    delay: float = MIN_DELAY
    due: float | None = 0.0


@dataclass
class Supervisor:
    """Runs its children until one that essential ends, or a signal asks to stop; returns the exit code."""

    children: Sequence[Child]
    environ: Mapping[str, str]
    folder: Path
    grace_seconds: int
    stop_by: float | None = None
    signals: int = 0
    code: int = 0
    own_pid: int = field(default_factory=os.getpid)

    def run(self) -> int:
        """Start everything and wait. On the way out every process group is killed, whatever happened."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        try:
            while self.stop_by is None or self._alive():
                self._start_due()
                self._take_signal(_next_signal(self._patience()))
                self._reap()
                self._kill_overdue()
        finally:
            self._signal_groups(signal.SIGKILL)
        return self.code

    def _start_due(self) -> None:
        for child in self.children:
            if self.stop_by is None and child.due is not None and child.due <= time.monotonic():
                child.due, child.started = None, time.monotonic()
                child.pid = self._start(child)

    def _start(self, child: Child) -> int:
        process = subprocess.Popen(  # noqa: S603 - our own command
            child.command,
            env=self.environ,
            cwd=self.folder,
            start_new_session=True,
            preexec_fn=self._become_child,  # noqa: PLW1509 - this process has no threads
        )
        process.returncode = 0  # we reap it ourselves, and Popen shall not wait for it
        return process.pid

    def _become_child(self) -> None:
        """In the child: die when the parent dies, even of SIGKILL, and hear signals again."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != self.own_pid:
                os._exit(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)

    def _patience(self) -> float:
        """Seconds until something falls due without a signal."""
        moments = [child.due for child in self.children if child.due is not None and self.stop_by is None]
        moments += [self.stop_by] if self.stop_by is not None else []
        return min([1.0, *(max(0.0, moment - time.monotonic()) for moment in moments)])

    def _take_signal(self, taken: int) -> None:
        if taken not in STOPPING:
            return
        self.signals += 1
        if self.signals == 1:
            self._begin_stop()
        else:
            self.code = SIGNAL_BASE + taken
            self._signal_groups(signal.SIGKILL)

    def _begin_stop(self) -> None:
        self.stop_by = time.monotonic() + max(1, self.grace_seconds - 1)
        for child in self._alive():
            _signal(child.pid, signal.SIGTERM)

    def _kill_overdue(self) -> None:
        if self.stop_by is not None and time.monotonic() >= self.stop_by and self._alive():
            log.error("supervisor.killed_overdue")
            self.code = self.code or 1
            self._signal_groups(signal.SIGKILL)
            self.stop_by = time.monotonic() + 1

    def _reap(self) -> None:
        """Take the exit of every dead process, our own children's and, as PID 1, anybody's."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    self._note_exit(child, os.waitstatus_to_exitcode(status))

    def _note_exit(self, child: Child, code: int) -> None:
        _signal_group(child.pid, signal.SIGKILL)
        child.pid = None
        if self.stop_by is not None:
            self.code = self.code or _exit_code(code)
            return
        log.warning("supervisor.child_exited", extra={"child": child.name, "exit_code": code})
        if child.essential:
            self.code = _exit_code(code) or 1
            self._begin_stop()
            return
        healthy = time.monotonic() - child.started > HEALTHY_SECONDS
        child.delay = MIN_DELAY if healthy else min(child.delay * 2, MAX_DELAY)
        child.due = time.monotonic() + child.delay

    def _alive(self) -> list[Child]:
        return [child for child in self.children if child.pid is not None]

    def _signal_groups(self, number: signal.Signals) -> None:
        for child in self._alive():
            _signal_group(child.pid, number)


def _next_signal(seconds: float) -> int:
    """The next signal; SIGALRM when so many seconds have passed. (macOS has no `sigtimedwait`.)"""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, MIN_WAIT))
    return signal.sigwait(WAITED_FOR)


def _exit_code(code: int) -> int:
    """A child's code as ours: death by a signal is 128 and more, but for the SIGTERM that we sent."""
    if code >= 0:
        return code
    return 0 if code == -signal.SIGTERM else SIGNAL_BASE - code


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _signal_group(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
