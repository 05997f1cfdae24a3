"""A process that posts to destinations as a worker does, and tells what came of it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

PUSHING = ROOT / "tests" / "destinations" / "pushing.py"


@dataclass(frozen=True)
class Told:
    """What the client said of one post."""

    status: int | None
    error: str | None
    retry_after: str | None
    duration_ms: int
    body: str

    @property
    def words(self) -> str | int | None:
        return self.error if self.status is None else self.status


class Pusher:
    """One process; its environment may be added to."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self._log = folder / "pushing.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PUSHING)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.ticks = 0
        self.finished: list[int] = []

    def post(self, url: str, **how: Any) -> Told:
        """One post, and what came of it."""
        return self.post_all(url, **how)[0]

    def post_all(
        self,
        *urls: str,
        seconds: int = 60,
        body: str = "{}",
        headers: dict[str, str] | None = None,
        only_this_machine: bool = False,
    ) -> list[Told]:
        """Make posts at once. Afterwards `ticks` counts a clock's ticks, and `finished` is their order of ending."""
        how = {"seconds": seconds, "body": body, "headers": headers or {}, "only_this_machine": only_this_machine}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([{"url": url, **how} for url in urls]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self.log
        said = json.loads(line)
        self.ticks, self.finished = said["ticks"], said["finished"]
        return [Told(**answer) for answer in said["answers"]]

    @property
    def log(self) -> str:
        """What it logged."""
        return self._log.read_text()

    def close(self) -> None:
        """Let it end; it says nothing at its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(DEADLINE_SECONDS) == 0, self.log
        self._process.stdout.close()
