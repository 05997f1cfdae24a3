"""Processes that the tests start, talk to in lines of JSON, and kill."""

import json
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

from tests.support.forked import Forked
from tests.support.waiting import DEADLINE_SECONDS

PATCHED = ("tests.store.cooperative_process", "tests.jobs.working")
"""They are what a process of the gateway is: cooperative."""

Start = Callable[..., "Child"]


def pipe() -> tuple[IO[str], IO[str]]:
    """Return both ends of a pipe: the one to read, and the one to write."""
    reading, writing = os.pipe()
    return os.fdopen(reading), os.fdopen(writing, "w")


class Child:
    """One process: it runs the function `main` of a module of this folder, or of another one that is named whole."""

    def __init__(self, module: str, *arguments: object) -> None:
        module = module if "." in module else f"{__package__}.{module}"
        its_input, self._input = pipe()
        self._output, its_output = pipe()
        with its_input, its_output:
            self._process = Forked(
                f"{module}:main",
                [module, *map(str, arguments)],
                environ=os.environ,
                stdin=its_input,
                stdout=its_output,
                patched=module in PATCHED,
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
        print(file=self._input, flush=True)

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
        self._input.close()
        self._output.close()

    def _read(self) -> None:
        """Queue each line, and an empty one at the end."""
        for line in self._output:
            self._lines.put(line)
        self._lines.put("")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a module of this folder with arguments."""
    children: list[Child] = []

    def start_child(module: str, *arguments: object) -> Child:
        children.append(Child(module, *arguments))
        return children[-1]

    yield start_child
    for child in children:
        child.close()
