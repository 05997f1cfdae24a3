"""Worker processes that are started again whenever they die, as a platform would."""

import contextlib
import random
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from tests.support.forked import Forked
from tests.support.waiting import wait_for

DYING = "tests.faults.worker_dying:main"
SLOTS = 8
"""How many deliveries a worker has in flight."""

CLAIMED_AHEAD = "claimed_ahead"
"""The point at which more deliveries are claimed than are in flight."""

LEASE_SECONDS, RETRY_SECONDS = 5, 1
"""A lease is long enough for a busy machine: a worker that renews it late loses jobs that nothing has killed."""


class Workers:
    """Keeps a number of workers alive. Each dies at one of the points, which take turns; without points, it lives."""

    def __init__(self, environ: Mapping[str, str], folder: Path, number: int, points: Sequence[str] = ()) -> None:
        self._points = cycle(points or [""])
        self._environ = environ
        self._log = folder / "workers.log"
        self._over = threading.Event()
        self._processes = [self._start() for _ in range(number)]
        self._by_age = list(range(number))
        self._thread = threading.Thread(target=self._keep_alive)
        self.deaths = self.freezes = 0

    def add_one(self) -> None:
        """One more of them, always."""
        self._by_age.append(len(self._processes))
        self._processes.append(self._start())

    def kill_one(self, rng: random.Random) -> None:
        """SIGKILL for one of them. Return once another has taken its place, so that the death counts."""
        killed = rng.choice(self._processes)
        killed.kill()
        wait_for(lambda: killed not in self._processes)

    @contextlib.contextmanager
    def one_frozen(self, at: int) -> Iterator[None]:
        """One stands still while the block runs, then goes on."""
        process = self._processes[at]
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: stands_still(process) or process.poll() is not None)
        self.freezes += process.poll() is None
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def oldest_frozen(self) -> Iterator[None]:
        """The one that has lived longest stands still while the block runs: one that just starts holds no job."""
        with self.one_frozen(self._by_age[0]):
            yield

    def stop_dying(self) -> None:
        """Let those that are started from now on live."""
        self._points = cycle([""])

    @property
    def log(self) -> str:
        """What they said."""
        return self._log.read_text(errors="replace")

    @contextlib.contextmanager
    def working(self) -> Iterator["Workers"]:
        """They work while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
            for process in self._processes:
                process.kill()
                process.wait()

    def _keep_alive(self) -> None:
        while not self._over.wait(0.05):
            for at, process in enumerate(self._processes):
                if process.poll() is not None:
                    self.deaths += process.returncode == -signal.SIGKILL  # a worker that failed was not killed
                    self._by_age = [*(other for other in self._by_age if other != at), at]
                    self._processes[at] = self._start()

    def _start(self) -> Forked:
        point = next(self._points)
        with self._log.open("ab") as log:
            return Forked(DYING, ["worker", point], environ=self._environ, stdout=log, stderr=log, patched=True)


def stands_still(process: Forked) -> bool:
    """Return whether a process was stopped by a signal. One that is dead was not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tT" in Path(f"/proc/{process.pid}/status").read_text()
    return False
