"""A brake on calls of the Graph API, by what each answer says of Meta's limits. Messages are sent all the same.

Meta counts the calls of an app and of an account over all their processes, and each answer says how much is used up:
so each process knows the same without asking another. Calls that go on while nothing is left lengthen the stop.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping

from app.domain.meta.usage import APP, BUSINESS, usage_of
from app.graph.call import GraphUnreachable

log = logging.getLogger(__name__)

NEARLY_PERCENT, ALL_PERCENT = 90, 100
NEARLY_SECONDS, ALL_SECONDS, MAX_SECONDS = 300.0, 60.0, 3600.0
"""How long calls are held back after an answer that says so; a limit that is used up may name its own time."""

NEARLY = "Meta's limit of calls is nearly used up"
ALL = "Meta's limit of calls is used up, and none is made until it is free again"


class CallBrake:
    """How much of Meta's limits the last answers of this process have left."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._harmless: tuple[str | None, str | None] = None, None
        self._nearly_until = self._all_until = -math.inf

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take in the headers of an answer; their names are looked up as `X-App-Usage`."""
        usage_headers = headers.get(APP), headers.get(BUSINESS)
        if usage_headers == self._harmless:
            return  # most answers say the same as the one before
        usage = usage_of(headers)
        if usage.regain_minutes or usage.percent >= ALL_PERCENT:
            self._hold(max(usage.regain_minutes * 60.0, ALL_SECONDS))
        elif usage.percent >= NEARLY_PERCENT:
            self._nearly_until = self._seconds() + NEARLY_SECONDS
        else:
            self._harmless = usage_headers

    def check(self, *, can_wait: bool) -> None:
        """Raise `GraphUnreachable` if no call is to be made now; one that can wait stops earlier than the others."""
        now = self._seconds()
        if self._all_until > now:
            raise GraphUnreachable(ALL, was_sent=False, retry_seconds=math.ceil(self._all_until - now))
        if can_wait and self._nearly_until > now:
            raise GraphUnreachable(NEARLY, was_sent=False, retry_seconds=math.ceil(self._nearly_until - now))

    def _hold(self, seconds: float) -> None:
        if self._all_until <= self._seconds():
            log.warning("graph.calls_held_back", extra={"reason": ALL, "seconds": int(min(seconds, MAX_SECONDS))})
        self._all_until = self._seconds() + min(seconds, MAX_SECONDS)
        self._nearly_until = self._all_until + NEARLY_SECONDS
