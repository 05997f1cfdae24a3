"""Meta's limits as token buckets: a number's messages a second, and the messages to one customer."""

from dataclasses import dataclass

from app.graph.fake.state import State

PAIR_SECONDS, PAIR_BURST = 6.0, 45
"""One message to one customer every six seconds, and 45 at once."""


@dataclass(frozen=True)
class Bucket:
    """Holds `burst` tokens when full; one comes back every `seconds`."""

    seconds: float
    burst: int

    def take(self, full_at: float | None, now: float) -> tuple[float, bool]:
        """Take a token from a bucket that would be full at this time; return when it is full then, and if it had one.

        An empty bucket is left as it is: a refused call costs nothing.
        """
        begun = max(full_at or now, now)
        if begun + self.seconds - now > self.seconds * self.burst + 1e-6:
            return begun, False
        return begun + self.seconds, True


def of_number(rate: float, burst: int) -> Bucket:
    """Return the bucket of a number that may send `rate` messages a second."""
    return Bucket(1 / rate, burst)


PAIR = Bucket(PAIR_SECONDS, PAIR_BURST)


def take_token(state: State, bucket: Bucket, key: str, now: float) -> bool:
    """Take a token from the bucket that is kept under this key; return whether it had one."""
    had_one = []

    def taken(full_at: float | None) -> float:
        full_then, was_there = bucket.take(full_at, now)
        had_one.append(was_there)
        return full_then

    state.update("bucket", key, taken)
    return had_one[-1]
