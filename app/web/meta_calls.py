"""Calls to Meta on behalf of a client's request: a limited number at once, none while Meta takes no more of them.

Meta counts the calls of an app and an account together, for all clients. A client in a loop must neither use them up
nor hold all connections of a process. Messages and calls that are passed on have limits of their own.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from flask import current_app

from app.graph.call import GraphUnreachable
from app.web.errors import RETRY, ApiError
from app.web.transfers import RETRY_LATER, Transfers

EXTENSION = "wats.meta_calls"
MAX_CALLS = 32
BUSY = "Too many calls wait for Meta; try again in a few seconds."
RESTING = "Meta takes no call of this kind for now, and is not asked before it has said it would."
MAX_REST = timedelta(hours=1)


class MetaCalls:
    """The calls of this process."""

    def __init__(self, limit: int = MAX_CALLS, seconds: Callable[[], float] = time.monotonic) -> None:
        self._places = Transfers(limit, BUSY)
        self._seconds = seconds
        self._rests_until = -math.inf

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block makes a call. Raises `ApiError` (503) if there is none, or Meta takes none."""
        left = self._rests_until - self._seconds()
        if left > 0:
            raise ApiError("meta_unavailable", RESTING, headers=_retry_after(left))
        with self._places.one():
            yield

    def rest(self, asked: timedelta) -> Mapping[str, str]:
        """Make no call for as long as Meta has asked for, and return the header that asks the same of a client."""
        until = self._seconds() + min(asked, MAX_REST).total_seconds()
        self._rests_until = max(self._rests_until, until)
        return _retry_after(asked.total_seconds()) if asked else RETRY_LATER


def meta_calls() -> MetaCalls:
    """Return the calls of this process."""
    calls: MetaCalls = current_app.extensions[EXTENSION]
    return calls


def retry_of(failure: GraphUnreachable) -> Mapping[str, str]:
    """Return the header that says when a call that has not reached Meta may be tried again."""
    return RETRY if failure.retry_seconds is None else _retry_after(failure.retry_seconds)


def _retry_after(seconds: float) -> Mapping[str, str]:
    return {"Retry-After": str(math.ceil(seconds))}
