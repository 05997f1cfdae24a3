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
        """Take a token, if there is one. Return when the bucket will be full, and whether it had a token.

        `full_at`: when it would have been full without this call; None if it was never used. An empty bucket is left
        as it is: a refused call costs nothing.
        """
        full_before = max(full_at or now, now)
        full_after = full_before + self.seconds
        if full_after - now > self.seconds * self.burst + 1e-6:
            return full_before, False
        return full_after, True


def of_number(rate: float, burst: int) -> Bucket:
    """Return the bucket of a number that may send `rate` messages a second."""
    return Bucket(1 / rate, burst)


PAIR = Bucket(PAIR_SECONDS, PAIR_BURST)


def take_token(state: State, bucket: Bucket, key: str, now: float) -> bool:
    """Take a token from the bucket that is kept under this key; return whether it had one."""
    results = []

    def taken(full_at: float | None) -> float:
        full_after, had_token = bucket.take(full_at, now)
        results.append(had_token)
        return full_after

    state.update("bucket", key, taken)
    return results[-1]  # the last one: `update` may call `taken` again
