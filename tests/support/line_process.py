"""A process that gets questions as lines of JSON on its standard input, and answers on its standard output."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.serving import ROOT
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS


class LineProcess:
    """One process; its environment may be added to."""

    def __init__(self, script: Path, folder: Path, environ: dict[str, str]) -> None:
        self._log = folder / f"{script.stem}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(script)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": PYTHONPATH, **environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ask(self, question: Any) -> Any:
        """Return the answer to one question."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self.log
        return json.loads(line)

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
