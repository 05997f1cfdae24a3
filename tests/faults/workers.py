"""Worker processes that are started again whenever they die, as a platform would."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from tests.support.serving import ROOT
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import wait_for

DYING = Path(__file__).parent / "worker_dying.py"
SLOTS = 8
"""How many deliveries a worker has in flight."""

CLAIMED_AHEAD = "claimed_ahead"
"""The point at which more deliveries are claimed than are in flight."""

LEASE_SECONDS, RETRY_SECONDS = 5, 1
"""A lease is long enough for a busy machine: a worker that renews it late loses jobs that nothing has killed."""


class ForkServer:
    """A process that has loaded the worker's code, and forks the workers: most of a start is to load it."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        command, environ = [sys.executable, str(DYING)], {**environ, "PYTHONPATH": PYTHONPATH}
        with log.open("ab") as err:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True
            )
        self._asking = threading.Lock()

    def ask(self, word: str, of: object) -> str:
        """Return its answer to a line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            print(word, of, file=self._process.stdin, flush=True)
            return self._process.stdout.readline().strip()

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


class Worker:
    """A forked worker, with what a `Popen` has: it is no child of the test process."""

    def __init__(self, server: ForkServer, die_at: str) -> None:
        self._server = server
        self.pid = int(server.ask("start", die_at))
        self.returncode: int | None = None
        self._polling = threading.Lock()

    def poll(self) -> int | None:
        """Return the code that it has ended with, if it has. The server tells it once."""
        with self._polling:
            if self.returncode is None and (code := self._server.ask("poll", self.pid)):
                self.returncode = int(code)
            return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Workers:
    """Keeps a number of workers alive. Each dies at one of the points, which take turns; without points, it lives."""

    def __init__(self, environ: Mapping[str, str], folder: Path, number: int, points: Sequence[str] = ()) -> None:
        self._points = cycle(points or [""])
        self._log = folder / "workers.log"
        self._server = ForkServer(environ, self._log)
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
            wait_for(lambda: all(process.poll() is not None for process in self._processes))
            self._server.close()

    def _keep_alive(self) -> None:
        while not self._over.wait(0.05):
            for at, process in enumerate(self._processes):
                if process.poll() is not None:
                    self.deaths += process.returncode == -signal.SIGKILL  # a worker that failed was not killed
                    self._by_age = [*(other for other in self._by_age if other != at), at]
                    self._processes[at] = self._start()

    def _start(self) -> Worker:
        return Worker(self._server, next(self._points))


def stands_still(process: Worker) -> bool:
    """Return whether a process was stopped by a signal. One that is dead was not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tT" in Path(f"/proc/{process.pid}/status").read_text()
    return False
