"""A process that calls the Graph API as the gateway does, and tells what came of each call."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

SENDING = ROOT / "tests" / "graph" / "sending.py"


class GraphSender:
    """One process; its environment may be added to."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self._log = folder / "sending.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(SENDING)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def send(
        self,
        base_url: str,
        *,
        token: str = "EAAmetas",
        number: str = "106540352242922",
        endpoint: str = "messages",
        body: str = "{}",
        parts: int = 10,
        **limits: float,
    ) -> tuple[str, dict[str, Any]]:
        """Send once. Return the kind of the answer and its fields. So many `parts` of a request may be written."""
        return self._ask(base_url, token, limits, number=number, endpoint=endpoint, body=body, parts=parts)

    def call(
        self,
        base_url: str,
        method: str = "GET",
        path: str = "1",
        *,
        limits: Mapping[str, float] | None = None,
        **asked: Any,
    ) -> tuple[str, dict[str, Any]]:
        """Make a call. Return what came of it; see `call` in `tests/graph/sending.py`."""
        return self._ask(base_url, "EAAmetas", limits or {}, call={"method": method, "path": path, **asked})

    def _ask(
        self, base_url: str, token: str, limits: Mapping[str, float], **asked: Any
    ) -> tuple[str, dict[str, Any]]:
        client = {"base_url": base_url, "version": "v25.0", "token": token, "limits": dict(limits)}
        request = {"client": client, **asked}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self.log
        kind, fields = json.loads(line)
        return kind, fields

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
