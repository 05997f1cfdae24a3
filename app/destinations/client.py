"""The client of all destinations: posts, and tells what came of it as a value."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from gevent import Timeout
from requests import PreparedRequest, Response

from app.destinations.adapter import DestinationAdapter
from app.destinations.dialer import Dialer, LookUp, MayReach, look_up_natively
from app.destinations.failures import TIMED_OUT, TROUBLES, failure_reason
from app.destinations.responses import drain
from app.domain import VERSION
from app.domain.push_response import PushResponse
from app.domain.retry import retry_after_of

USER_AGENT = f"wats/{VERSION}"


class Target(Protocol):
    """What is to be known of a destination to post to it."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def timeout_seconds(self) -> int: ...
    @property
    def max_in_flight(self) -> int: ...


class Destinations:
    """Posts to destinations. A hanging one costs the others nothing: each has its own connections and its own thread
    to look its name up. `may_reach` tells whether an address, none that is never connected to, may be connected to
    in this mode."""

    def __init__(
        self, may_reach: MayReach, clock: Callable[[], datetime], look_up: LookUp = look_up_natively
    ) -> None:
        self._may_reach = may_reach
        self._clock = clock
        self._look_up = look_up
        self._lines: dict[str, DestinationAdapter] = {}

    def post(self, destination: Target, body: bytes, headers: Mapping[str, str]) -> PushResponse:
        """Post once, within the destination's time for everything together. Never raises for what it does.

        A status that has come counts, whatever becomes of the body behind it.
        """
        began = time.monotonic()
        line = self._line_to(destination)
        request = line.request(body, {**headers, "User-Agent": USER_AGENT})
        exchange = _Exchange(line, request, destination.timeout_seconds)
        error = exchange.run()
        status, retry_after = self._read(exchange.response)
        duration_ms = round((time.monotonic() - began) * 1000)
        return PushResponse(status, error if status is None else None, retry_after, duration_ms)

    def _read(self, response: Response | None) -> tuple[int | None, timedelta | None]:
        if response is None:
            return None, None
        return response.status_code, retry_after_of(response.headers.get("Retry-After"), self._clock())

    def _line_to(self, destination: Target) -> DestinationAdapter:
        line = self._lines.get(destination.name)
        if line is None:
            dialer_to = partial(
                Dialer, may_reach=self._may_reach, look_up=self._look_up, seconds=destination.timeout_seconds
            )
            line = DestinationAdapter(destination.url, dialer_to, destination.max_in_flight)
            self._lines[destination.name] = line
        return line


class _Exchange:
    """One request and what has come of its answer so far."""

    def __init__(self, line: DestinationAdapter, request: PreparedRequest, seconds: float) -> None:
        self._line, self._request, self._seconds = line, request, seconds
        self.response: Response | None = None

    def run(self) -> str | None:
        """Send it and read the answer away; what went wrong, if something did."""
        deadline = Timeout.start_new(self._seconds)
        try:
            self._send_and_read()
        except Timeout as timeout:
            if timeout is not deadline:
                raise
            return TIMED_OUT
        except TROUBLES as trouble:
            return failure_reason(trouble)
        finally:
            deadline.close()
        return None

    def _send_and_read(self) -> None:
        with self._line.send(self._request, stream=True, timeout=self._seconds) as self.response:
            drain(self.response)
