"""What limits the sending of a number: its rate, the pace of its customers, and the customer service window."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.pacing import Pace
from app.domain.window import WindowPolicy

BATCH = timedelta(milliseconds=50)
"""One claim takes the messages of so much time: one transaction for several, and none of them late."""

MAX_SLOTS = 512


@dataclass(frozen=True)
class SendLimits:
    """The configured limits. `waba_id`: the account of every number; None if the profile lists several."""

    per_second: int
    pair: Pace
    window_policy: WindowPolicy
    waba_id: str | None

    @property
    def batch(self) -> int:
        """How many messages one claim takes at most."""
        return max(1, self.per_second * BATCH // timedelta(seconds=1))

    @property
    def slots(self) -> int:
        """How many messages of a number are in flight at most, over all workers: those of one second."""
        return min(max(8, self.per_second), MAX_SLOTS)
