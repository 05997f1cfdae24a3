"""The limits of a number's sending: its rate, the pace of its customers, and the customer service window."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.pacing import NUMBER_BURST, Pace
from app.domain.window import WindowPolicy

BATCH = timedelta(milliseconds=50)
"""One claim takes the messages of so much time: one transaction for several, and none of them late."""

MAX_SLOTS = 512


@dataclass(frozen=True)
class SendLimits:
    """The configured limits. `waba_id`: the account of the number; None if the profile lists several, and no
    webhook has named it."""

    per_second: int
    pair: Pace
    window_policy: WindowPolicy
    waba_id: str | None

    @property
    def batch(self) -> int:
        """How many messages one claim takes at most, if it is not late."""
        return max(1, self.per_second * BATCH // timedelta(seconds=1))

    def batch_after(self, seconds: float) -> int:
        """Return how many messages one claim takes at most, this many seconds after the last one.

        A slow database has few claims a second: each takes the messages of the whole time, as far as a number may
        catch up on it.
        """
        return max(self.batch, int(self.per_second * min(seconds, NUMBER_BURST.total_seconds())))

    @property
    def slots(self) -> int:
        """How many messages of a number are in flight at most, over all workers: those of one second."""
        return min(max(8, self.per_second), MAX_SLOTS)
