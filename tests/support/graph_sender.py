"""A process that calls the Graph API as the gateway does, and tells what came of each call."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.line_process import LineProcess
from tests.support.serving import ROOT

SENDING = ROOT / "tests" / "graph" / "sending.py"


class GraphSender(LineProcess):
    """One process; its environment may be added to."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(SENDING, folder, environ)

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
        kind, fields = self.ask({"client": client, **asked})
        return kind, fields
