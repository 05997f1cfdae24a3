"""Webhooks that were refused for one reason: since when, how many, and when that is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

QUIET = timedelta(minutes=1)
"""After this time without a refusal, a webhook that was accepted proves that the cause is gone."""

FORGOTTEN = timedelta(days=1)
"""Without such proof, refusals need attention until this time has passed since the last one."""

HANDSHAKE_FORGOTTEN = timedelta(hours=1)
"""Shorter, because Meta does not repeat a handshake: a human starts it again in the dashboard."""

HANDSHAKE_REASONS = ("verify_token_mismatch", "invalid_handshake")


@dataclass(frozen=True)
class RefusedWebhooks:
    """The requests of Meta's route that were refused for one reason, which is the code of their error."""

    reason: str
    count: int
    since: datetime
    last_at: datetime

    def is_over(self, now: datetime, last_accepted_at: datetime | None) -> bool:
        """Return whether these refusals need no more attention."""
        quiet = now - self.last_at
        if self.reason in HANDSHAKE_REASONS:
            return quiet >= HANDSHAKE_FORGOTTEN
        is_proven = last_accepted_at is not None and last_accepted_at > self.last_at
        return quiet >= (QUIET if is_proven else FORGOTTEN)
