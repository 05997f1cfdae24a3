"""The parent of the gateway's processes: starts them, restarts the worker, and ends all of them together.

A child that has stopped working is killed, so that a lock that it holds in the database is free again. That it works
is read from its beats, from outside: a frozen process can neither notice it nor end itself.

It waits for signals with `sigwait` instead of handling them, so that no handler runs in the middle of its code. As
PID 1 it also reaps orphans, as the init process of a container must.
"""

import logging
import os
import signal
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path

from app.running_time import RunningTime
from app.startup.beats import Beats
from app.supervisor.child import MIN_DELAY, STOP_SIGNALS, WAITED_FOR, Child

log = logging.getLogger(__name__)

MAX_DELAY, HEALTHY_SECONDS = 30.0, 10.0
MAX_WAIT, MIN_WAIT = 1.0, 0.001
SILENT_SECONDS = 15.0
EXIT_BY_SIGNAL = 128
"""A process ended by a signal has this exit code plus the signal's number."""


class Supervisor:
    """Runs its children until an essential one exits or a signal stops it.

    `folder`: their working directory; `pipe_variable`: the variable by which a child finds the pipe for its beats;
    `silent_seconds`: how long one that works may send no beat; `beats`: where this process shows that it works. Its
    times are those of a clock that stands still with the machine.
    """

    stop_by: float | None = None
    signals = 0
    code = 0

    def __init__(
        self,
        children: Sequence[Child],
        environ: Mapping[str, str],
        *,
        folder: Path,
        pipe_variable: str,
        grace_seconds: int,
        silent_seconds: float = SILENT_SECONDS,
        beats: Beats,
    ) -> None:
        self.children = children
        self.environ = environ
        self.folder = folder
        self.pipe_variable = pipe_variable
        self.grace_seconds = grace_seconds
        self.silent_seconds = silent_seconds
        self.beats = beats
        self.clock = RunningTime()

    def run(self) -> int:
        """Run the children and return the exit code. Whatever happens, kill every process group at the end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        try:
            while self.stop_by is None or self._alive():
                self._start_due()
                self._handle_signal(_next_signal(self._seconds_to_wait()))
                self._reap()
                self._kill_silent()
                self._kill_overdue()
        finally:
            self._signal_groups(signal.SIGKILL)
        return self.code

    def _start_due(self) -> None:
        for child in self.children:
            if self.stop_by is None and child.due is not None and child.due <= self.clock.read():
                child.start(self.environ, self.folder, self.pipe_variable, self.clock.read())

    def _seconds_to_wait(self) -> float:
        """Return the seconds until the next start or the end of the grace period, at most MAX_WAIT."""
        if self.stop_by is not None:
            times = [self.stop_by]
        else:
            times = [child.due for child in self.children if child.due is not None]
        return min([MAX_WAIT, *(max(0.0, due - self.clock.read()) for due in times)])

    def _handle_signal(self, number: int) -> None:
        if number not in STOP_SIGNALS:
            return
        self.signals += 1
        if self.signals == 1:
            self._begin_stop()
        else:
            self.code = EXIT_BY_SIGNAL + number
            self._signal_groups(signal.SIGKILL)

    def _begin_stop(self) -> None:
        self.beats.announce_stop()
        self.stop_by = self.clock.read() + max(1, self.grace_seconds - 1)
        for child in self._alive():
            _signal(child.pid, signal.SIGTERM)

    def _kill_silent(self) -> None:
        """Kill each child that does not work any more. Show that this process and all that it watches do."""
        for child in self._alive():
            child.listen(self.clock.read(), silent_seconds=self.silent_seconds, stop_seconds=self.grace_seconds)
            if self.stop_by is None and child.is_silent(self.clock.read()):
                log.error("supervisor.killed_silent", extra={"child": child.name, "seconds": round(child.patience)})
                child.patience = inf  # said once, however long the kernel takes to end it
                _signal_group(child.pid, signal.SIGKILL)
        if self.stop_by is None and all(child.is_working for child in self.children if child.essential):
            self.beats.beat()

    def _kill_overdue(self) -> None:
        if self.stop_by is not None and self.clock.read() >= self.stop_by and self._alive():
            log.error("supervisor.killed_overdue")
            self.code = self.code or 1
            self._signal_groups(signal.SIGKILL)
            self.stop_by = self.clock.read() + 1

    def _reap(self) -> None:
        """Collect every ended process: our own children and, as PID 1, orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    self._handle_exit(child, os.waitstatus_to_exitcode(status))

    def _handle_exit(self, child: Child, code: int) -> None:
        _signal_group(child.pid, signal.SIGKILL)
        child.pid = None
        child.close()
        if self.stop_by is not None:
            self.code = self.code or _exit_code(code)
            return
        log.warning("supervisor.child_exited", extra={"child": child.name, "exit_code": code})
        if child.essential:
            self.code = _exit_code(code) or 1
            self._begin_stop()
            return
        healthy = self.clock.read() - child.started > HEALTHY_SECONDS
        child.delay = MIN_DELAY if healthy else min(child.delay * 2, MAX_DELAY)
        child.due = self.clock.read() + child.delay

    def _alive(self) -> list[Child]:
        return [child for child in self.children if child.pid is not None]

    def _signal_groups(self, number: signal.Signals) -> None:
        for child in self._alive():
            _signal_group(child.pid, number)


def _next_signal(seconds: float) -> int:
    """Wait for the next signal; return SIGALRM after this many seconds. (macOS has no `sigtimedwait`.)"""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, MIN_WAIT))
    return signal.sigwait(WAITED_FOR)


def _exit_code(code: int) -> int:
    """Return a child's exit code as ours: 128 + signal if a signal ended it, but 0 for the SIGTERM that we sent."""
    if code >= 0:
        return code
    return 0 if code == -signal.SIGTERM else EXIT_BY_SIGNAL - code


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
