"""The client of all destinations: posts, and returns what came of it as a value."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http.client import HTTPResponse
from typing import Protocol

from gevent import Timeout

from app.destinations.dialer import Dialer, LookUp, MayReach, look_up_natively
from app.destinations.failures import FAILURES, TIMED_OUT, failure_reason
from app.destinations.pool import ConnectionPool
from app.destinations.responses import drain
from app.domain import VERSION
from app.domain.push_response import PushResponse
from app.domain.retry import retry_after_of

USER_AGENT = f"wats/{VERSION}"


class Target(Protocol):
    """The settings of a destination that the client needs."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def timeout_seconds(self) -> int: ...


class Destinations:
    """Posts to destinations.

    Each has connections of its own and a thread of its own for name look-ups, so that one that hangs delays no other.
    `may_reach` returns whether an address may be connected to in this mode, if it is not one that never is.
    """

    def __init__(
        self, may_reach: MayReach, clock: Callable[[], datetime], look_up: LookUp = look_up_natively
    ) -> None:
        self._may_reach = may_reach
        self._clock = clock
        self._look_up = look_up
        self._pools: dict[str, ConnectionPool] = {}

    def post(self, destination: Target, body: bytes, headers: Mapping[str, str]) -> PushResponse:
        """Post once, within `timeout_seconds` for everything together. Never raises for what the destination does.

        A status that has arrived counts, whatever happens to the body behind it.
        """
        started = time.monotonic()
        exchange = _Exchange(self._pool_of(destination), destination.timeout_seconds)
        error = exchange.run(body, {**headers, "User-Agent": USER_AGENT})
        duration_ms = round((time.monotonic() - started) * 1000)
        response = exchange.response
        if response is None:
            return PushResponse(None, error, None, duration_ms)
        retry_after = retry_after_of(response.headers.get("Retry-After"), self._clock())
        return PushResponse(response.status, None, retry_after, duration_ms, bytes(exchange.body))

    def _pool_of(self, destination: Target) -> ConnectionPool:
        pool = self._pools.get(destination.name)
        if pool is None:
            seconds = destination.timeout_seconds
            dialer_to = partial(Dialer, may_reach=self._may_reach, look_up=self._look_up, seconds=seconds)
            pool = self._pools[destination.name] = ConnectionPool(destination.url, dialer_to, seconds)
        return pool


class _Exchange:
    """One request, and its response once the status has arrived, with the beginning of its body."""

    def __init__(self, pool: ConnectionPool, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self.response: HTTPResponse | None = None
        self.body = bytearray()

    def run(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Send the request and drain its response. Return what failed, or None."""
        deadline = Timeout.start_new(self._timeout_seconds)
        try:
            with self._pool.post(body, headers) as self.response:
                drain(self.response, self.body)
        except Timeout as timeout:
            if timeout is not deadline:
                raise
            return TIMED_OUT
        except FAILURES as failure:
            return failure_reason(failure)
        finally:
            deadline.close()
        return None
