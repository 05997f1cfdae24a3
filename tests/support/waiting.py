"""Waiting for an event that must come. No other file of the tests compares clocks.

A wait ends with its event, so that a long deadline costs nothing, and a busy machine fails no test.
"""

import time
from collections.abc import Callable

DEADLINE_SECONDS = 180.0
POLL_SECONDS = 0.03


def wait_for(
    condition: Callable[[], object],
    *,
    seconds: float = DEADLINE_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Return once the condition is true; raise `AssertionError` if it is still false at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition was still false after {seconds:g} seconds"
        sleep(POLL_SECONDS)
