"""Adds the log lines that this process gives up to its metrics.

They are lost in a native thread, which must not touch the metrics: their locks are gevent's.
"""

from typing import Protocol

import gevent

from app.log import lines_lost

CHECK_SECONDS = 1.0


class Counter(Protocol):
    """Counts lost log lines."""

    def log_lines_lost(self, lines: int) -> None: ...


def count_lost_lines(metrics: Counter) -> None:
    """Count the lines lost until now, and from now on once a second."""
    gevent.spawn(_count_forever, metrics)


def _count_forever(metrics: Counter) -> None:
    counted = 0
    while True:
        if (lost := lines_lost()) > counted:
            metrics.log_lines_lost(lost - counted)
            counted = lost
        gevent.sleep(CHECK_SECONDS)
