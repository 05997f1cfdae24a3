"""A process that posts to destinations as a worker does, and tells what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.line_process import LineProcess
from tests.support.serving import ROOT

PUSHING = ROOT / "tests" / "destinations" / "pushing.py"


@dataclass(frozen=True)
class PushResult:
    """What the client said of one post."""

    status: int | None
    error: str | None
    retry_after: str | None
    duration_ms: int
    body: str

    @property
    def words(self) -> str | int | None:
        return self.error if self.status is None else self.status


class Pusher(LineProcess):
    """One process; its environment may be added to."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(PUSHING, folder, environ)
        self.ticks = 0
        self.finished: list[int] = []

    def post(self, url: str, **how: Any) -> PushResult:
        """One post, and what came of it."""
        return self.post_all(url, **how)[0]

    def post_all(
        self,
        *urls: str,
        seconds: int = 60,
        body: str = "{}",
        headers: dict[str, str] | None = None,
        only_this_machine: bool = False,
    ) -> list[PushResult]:
        """Make posts at once. Afterwards `ticks` counts a clock's ticks, and `finished` is their order of ending."""
        how = {"seconds": seconds, "body": body, "headers": headers or {}, "only_this_machine": only_this_machine}
        said = self.ask([{"url": url, **how} for url in urls])
        self.ticks, self.finished = said["ticks"], said["finished"]
        return [PushResult(**answer) for answer in said["answers"]]
