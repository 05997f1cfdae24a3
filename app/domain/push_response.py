"""The response of a destination to one POST."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

SUCCESS_STATUSES = range(200, 300)


@dataclass(frozen=True)
class PushResponse:
    """The status, or the error as a stable phrase; how long it took, and the delay that it asked for.

    `body` is its beginning. Nothing else is kept of it.
    """

    status: int | None
    error: str | None
    retry_after: timedelta | None
    duration_ms: int
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the destination accepted the event."""
        return self.status in SUCCESS_STATUSES

    @property
    def summary(self) -> str:
        """The error, or the status, as text."""
        return self.error or f"HTTP {self.status}"


def failed_answer(response: PushResponse, secrets: Iterable[str]) -> str | None:
    """Return the beginning of the body of an answer that was no 2xx, without these secrets; None if it is empty.

    A destination may repeat what it was sent. What is no printable character is shown as `?`, but for line ends.
    """
    if response.is_success or not response.body:
        return None
    text = response.body.decode(errors="replace")
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text.replace("\r\n", "\n"))
