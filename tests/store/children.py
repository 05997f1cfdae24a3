"""Processes that the tests start, talk to in lines of JSON, and kill."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Start = Callable[..., "Child"]


class Child:
    """One process running a script of this folder, or of another one that is named whole."""

    def __init__(self, script: str | Path, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", HERE / f"{script}.py", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def hear(self) -> Any:
        """Return the next thing it says."""
        line = self._lines.get(timeout=DEADLINE_SECONDS)
        assert line, f"it ended with {self._process.wait()}"
        return json.loads(line)

    def hear_all(self) -> list[Any]:
        """Return what it said until it ended, whole lines only: it may have been killed while it spoke."""
        lines = iter(lambda: self._lines.get(timeout=DEADLINE_SECONDS), "")
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def go_on(self) -> None:
        """Let it do the next thing."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL, and gone on return."""
        self._process.kill()
        self._process.wait()

    def succeeds(self) -> bool:
        """Tells, once it has ended, whether it ended well."""
        return self._process.wait(DEADLINE_SECONDS) == 0

    def ends_with(self) -> int:
        """Return the code that it ends with."""
        return self._process.wait(DEADLINE_SECONDS)

    @property
    def was_killed(self) -> bool:
        return self._process.wait(DEADLINE_SECONDS) == -signal.SIGKILL

    def close(self) -> None:
        """Leave nothing of it behind."""
        self.kill()
        self._reader.join(DEADLINE_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        """Queue each line, and an empty one at the end."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a script of this folder with arguments."""
    children: list[Child] = []

    def start_child(script: str, *arguments: object) -> Child:
        children.append(Child(script, *arguments))
        return children[-1]

    yield start_child
    for child in children:
        child.close()
