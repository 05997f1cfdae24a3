"""Counts spans that could not be exported, and logs how many at most once a minute."""

import logging
from collections.abc import Callable

from app.log import Throttle

log = logging.getLogger(__name__)


class LostSpans:
    """The spans that this process has given up. `count` gets each number at once."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._throttle = Throttle()
        self._unlogged = 0

    def lose(self, spans: int, reason: str) -> None:
        """Count lost spans; log them with those that were lost since the last line."""
        self._count(spans)
        self._unlogged += spans
        if self._throttle.repeats("lost") is not None:
            spans, self._unlogged = self._unlogged, 0
            log.warning("tracing.spans_lost", extra={"spans": spans, "reason": reason})
