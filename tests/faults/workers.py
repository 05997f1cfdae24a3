"""Worker processes that are started again whenever they die, as a platform would."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.serving import ROOT

DYING = Path(__file__).parent / "worker_dying.py"


class Workers:
    """So many of them, always."""

    def __init__(self, environ: Mapping[str, str], folder: Path, number: int) -> None:
        self._environ = {**environ, "PYTHONPATH": str(ROOT)}
        self._log = folder / "workers.log"
        self._over = threading.Event()
        self._processes = [self._start() for _ in range(number)]
        self._thread = threading.Thread(target=self._keep_alive)
        self.deaths = 0

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL for one of them."""
        self._signal(chance.randrange(len(self._processes)), signal.SIGKILL)

    def freeze_one(self, chance: random.Random, seconds: float) -> None:
        """One stands still so long, then goes on."""
        at = chance.randrange(len(self._processes))
        process = self._processes[at]
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)

    def stop_dying(self) -> None:
        """Let those that are started from now on live."""
        self._environ.pop("WATS_TEST_DIE_AT", None)

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
                    self.deaths += 1
                    self._processes[at] = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen([sys.executable, str(DYING)], cwd=ROOT, env=self._environ, stderr=log, stdout=log)

    def _signal(self, at: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._processes[at].pid, number)
