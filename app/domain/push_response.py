"""What came back from a destination that was posted to."""

from dataclasses import dataclass
from datetime import timedelta

STATUS_OF_SUCCESS = range(200, 300)


@dataclass(frozen=True)
class PushResponse:
    """The answer's status, or what went wrong in a few stable words; how long it took, and the wait it asked for.

    Nothing else of an answer is kept: neither a header nor the body.
    """

    status: int | None
    error: str | None
    retry_after: timedelta | None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Tells whether the event was taken."""
        return self.status in STATUS_OF_SUCCESS

    @property
    def words(self) -> str:
        """The answer as a person would tell it."""
        return self.error or f"HTTP {self.status}"
