"""The response of a destination to one POST."""

from dataclasses import dataclass
from datetime import timedelta

SUCCESS_STATUSES = range(200, 300)


@dataclass(frozen=True)
class PushResponse:
    """The status, or the error as a stable phrase; how long it took, and the delay that it asked for.

    Nothing else is kept: no other header and no body.
    """

    status: int | None
    error: str | None
    retry_after: timedelta | None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the destination accepted the event."""
        return self.status in SUCCESS_STATUSES

    @property
    def summary(self) -> str:
        """The error, or the status, as text."""
        return self.error or f"HTTP {self.status}"
