"""One line for a flood: of equal events, one in a minute is logged, with the number of those left out since."""

from collections.abc import Hashable
from time import monotonic

PERIOD_SECONDS = 60.0
MAX_KINDS = 100


class Throttle:
    """Decides which events of a kind are logged. It remembers a limited number of kinds."""

    def __init__(self) -> None:
        self._logged: dict[Hashable, tuple[float, int]] = {}

    def repeats(self, kind: Hashable, now: float | None = None) -> int | None:
        """Return None for an event that is not to be logged, else how many were left out since the last one."""
        now = monotonic() if now is None else now
        logged_at, left_out = self._logged.get(kind, (now - PERIOD_SECONDS, 0))
        if now - logged_at < PERIOD_SECONDS:
            self._logged[kind] = (logged_at, left_out + 1)
            return None
        if len(self._logged) >= MAX_KINDS:
            self._logged.clear()
        self._logged[kind] = (now, 0)
        return left_out
