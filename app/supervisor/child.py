"""A process that the supervisor keeps alive: how it is started, and how long it may be silent."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.startup.beats import PATIENCE, name_pipe
from app.startup.linux import end_with

START_SECONDS = 300.0
"""A start may take this long. Before its first beat a process has not touched the database, and holds no lock."""

MIN_DELAY = 0.5
READ_BYTES = 65536
EXIT_NOT_STARTED = 127
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WAITED_FOR = STOP_SIGNALS | {signal.SIGCHLD, signal.SIGALRM}


class Child:
    """A process to keep alive. If an `essential` one exits, all are stopped; any other is started again.

    `due`: when to start it, on the supervisor's clock; None while it runs. `delay`: seconds until the next restart.
    `heard`: when its last beat came, and `patience`: how long the next one may take.
    """

    started = heard = 0.0
    delay = MIN_DELAY
    patience = START_SECONDS
    is_working = False

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        essential: bool = False,
        pid: int | None = None,
        due: float | None = 0.0,
        beats: int | None = None,
    ) -> None:
        self.name = name
        self.command = command
        self.essential = essential
        self.pid = pid
        self.due = due
        self.beats = beats

    def start(self, environ: Mapping[str, str], folder: Path, pipe_variable: str, now: float) -> None:
        """Start the process by its command."""
        pipe = self.fork(now)
        if pipe is None:
            return
        try:
            os.set_inheritable(pipe, True)  # noqa: FBT003 - it takes no keyword
            os.chdir(folder)
            os.execve(self.command[0], list(self.command), {**environ, pipe_variable: name_pipe(pipe)})  # noqa: S606
        finally:
            os._exit(EXIT_NOT_STARTED)

    def fork(self, now: float) -> int | None:
        """Fork the process, with a pipe for its beats. Return None here, and in the new process its end of the pipe.

        The new process ends with this one. It leads a group of its own, and handles signals as a new program does.
        """
        self.close()
        self.beats, theirs = os.pipe()
        for end in (self.beats, theirs):
            os.set_blocking(end, False)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.close()
            os.setsid()
            end_with(parent)
            for number in STOP_SIGNALS:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)
            return theirs
        os.close(theirs)
        self.pid, self.due, self.started, self.heard = pid, None, now, now
        self.patience, self.is_working = START_SECONDS, False
        return None

    def listen(self, now: float, *, silent_seconds: float, stop_seconds: float) -> None:
        """Read the beats that have come. Each one extends the time for which the process may be silent."""
        signs = b""
        if self.beats is not None:
            with suppress(BlockingIOError):
                signs = os.read(self.beats, READ_BYTES)
        if signs:
            self.heard, self.is_working = now, True
            self.patience = max(silent_seconds, stop_seconds) if signs.endswith(PATIENCE) else silent_seconds

    def is_silent(self, now: float) -> bool:
        """Return whether it has been silent for too long."""
        return self.pid is not None and now - self.heard > self.patience

    def close(self) -> None:
        """Close the pipe of a process that has ended."""
        if self.beats is not None:
            os.close(self.beats)
            self.beats = None
