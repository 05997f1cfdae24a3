"""A process that the supervisor keeps alive: how it is started, and how long it may be silent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.config.start_options import SUPERVISED
from app.startup.beats import PATIENCE, name_pipe

START_SECONDS = 300.0
"""A start may take this long. Before its first beat a process has not touched the database, and holds no lock."""

MIN_DELAY = 0.5
PR_SET_PDEATHSIG = 1
READ_BYTES = 65536


@dataclass
class Child:
    """A process to keep alive. If an `essential` one exits, all are stopped; any other is started again.

    `due`: when to start it, on the supervisor's clock; None while it runs. `delay`: seconds until the next restart.
    `heard`: when its last beat came, and `patience`: how long the next one may take.
    """

    name: str
    command: Sequence[str]
    essential: bool = False
    pid: int | None = None
    started: float = 0.0
    delay: float = MIN_DELAY
    due: float | None = 0.0
    heard: float = 0.0
    patience: float = START_SECONDS
    is_working: bool = False
    beats: int | None = None

    def start(self, environ: Mapping[str, str], folder: Path, now: float, before_exec: Callable[[], None]) -> None:
        """Start the process with a pipe for its beats."""
        self.close()
        self.beats, theirs = os.pipe()
        for end in (self.beats, theirs):
            os.set_blocking(end, False)
        process = subprocess.Popen(  # noqa: S603 - our own command
            self.command,
            env={**environ, SUPERVISED.variable: name_pipe(theirs)},
            cwd=folder,
            pass_fds=[theirs],
            start_new_session=True,
            preexec_fn=before_exec,  # noqa: PLW1509 - the log's thread, the only other one, holds no lock
        )
        os.close(theirs)
        process.returncode = 0  # keeps Popen from waiting: the supervisor reaps
        self.pid, self.due, self.started, self.heard = process.pid, None, now, now
        self.patience, self.is_working = START_SECONDS, False

    def listen(self, now: float, *, silent_seconds: float, stop_seconds: float) -> None:
        """Read the beats that have come. After one it may be silent for so long, and for so long when it stops."""
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


def end_with(parent: int) -> None:
    """Let this new process end when its parent ends, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
