"""Calls to Meta on behalf of a client's request: a limited number at once.

A client in a loop must not hold all connections of a process. Messages and calls that are passed on have limits of
their own. While Meta takes no more calls, the client of the Graph API makes none (`app/graph/brake.py`).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from flask import current_app

from app.graph.call import GraphUnreachable
from app.web.errors import RETRY
from app.web.transfers import RETRY_LATER, Transfers

EXTENSION = "wats.meta_calls"
MAX_CALLS = 32
BUSY = "Too many calls wait for Meta; try again in a few seconds."


class MetaCalls:
    """The calls of this process."""

    def __init__(self, limit: int = MAX_CALLS) -> None:
        self._places = Transfers(limit, BUSY)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block makes a call. Raises `ApiError` (503) if there is none."""
        with self._places.one():
            yield


def meta_calls() -> MetaCalls:
    """Return the calls of this process."""
    calls: MetaCalls = current_app.extensions[EXTENSION]
    return calls


def retry_of(failure: GraphUnreachable) -> Mapping[str, str]:
    """Return the header that says when a call that has not reached Meta may be tried again."""
    return RETRY if failure.retry_seconds is None else _retry_after(failure.retry_seconds)


def retry_as_asked(asked: timedelta) -> Mapping[str, str]:
    """Return the header that asks of a client what Meta has asked of us: to wait so long."""
    return _retry_after(asked.total_seconds()) if asked else RETRY_LATER


def _retry_after(seconds: float) -> Mapping[str, str]:
    return {"Retry-After": str(math.ceil(seconds))}
