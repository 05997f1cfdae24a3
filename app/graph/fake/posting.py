"""Posts webhooks over HTTP as Meta does, again until they are answered 200. Switches delay or repeat them."""

import hashlib
import heapq
import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from app.graph.fake.accounts import Accounts
from app.graph.fake.clock import Clock
from app.graph.fake.connections import Connections
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import USER_AGENT, Change, bytes_of, headers_of, shaped

POSTERS = 8
MAX_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class Posted:
    """A webhook that was posted. `status`: what was answered; None if nothing was."""

    at: float
    body: bytes
    attempt: int
    status: int | None


@dataclass(order=True)
class _Due:
    at: float
    position: int
    change: Change = field(compare=False)
    body: bytes | None = field(compare=False, default=None)
    attempt: int = field(compare=False, default=0)
    is_repeat: bool = field(compare=False, default=False)


class Poster:
    """An outlet that posts to `url`. `posted`: what was posted so far, each attempt."""

    def __init__(self, url: str | None, accounts: Accounts, clock: Clock, switches: Callable[[], Switches]) -> None:
        self.url = url
        self.posted: list[Posted] = []
        self._accounts, self._clock, self._switches = accounts, clock, switches
        self._due: list[_Due] = []
        self._positions = itertools.count()
        self._changed = threading.Condition()
        self._connections = Connections()
        self._is_over = False
        self._running = 0
        self._pool = ThreadPoolExecutor(POSTERS, thread_name_prefix="webhooks")
        self._thread = threading.Thread(target=self._run, name="webhooks due", daemon=True)

    def start(self) -> None:
        """Begin to post what is due."""
        self._thread.start()

    def stop(self) -> None:
        """Post nothing more; return once nothing is on its way."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._connections.close()

    def plan(self, after: float, change: Change) -> None:
        """Post a change after this many seconds, or together with others if batches are switched on."""
        switches = self._switches()
        position = next(self._positions)
        at = self._clock.now() + after + switches.webhook_delay_seconds
        at += switches.shuffle_seconds * _fraction(position)
        if max(change.batch, switches.batch) > 1:
            at = (at // switches.batch_seconds + 1) * switches.batch_seconds
        self._add(_Due(at, position, change))

    def post_now(self, change: Change) -> None:
        """Post a change, and return once it was answered or given up."""
        self._post(_Due(self._clock.now(), next(self._positions), change), [change])

    def get(self, url: str) -> tuple[int | None, bytes]:
        """Return the status and the body of a GET, as the handshake makes it."""
        return self._connections.call("GET", url, b"", {"User-Agent": USER_AGENT, "Accept": "*/*"})

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget what is due and what was posted."""
        with self._changed:
            self._due.clear()
            self.posted.clear()

    @property
    def pending(self) -> int:
        """Return how many changes are due, or on their way."""
        with self._changed:
            return len(self._due) + self._running

    def _add(self, due: _Due) -> None:
        with self._changed:
            heapq.heappush(self._due, due)
            self._changed.notify_all()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._pool.submit(self._post_group, group)

    def _next_group(self) -> list[_Due] | None:
        """Return the changes to post together now; an empty list if none was due for a while; None at the end."""
        with self._changed:
            if self._is_over:
                return None
            wait = self._due[0].at - self._clock.now() if self._due else MAX_WAIT_SECONDS
            if wait > 0:
                self._changed.wait(min(wait, MAX_WAIT_SECONDS))
                return []
            group = self._pop_group()
            self._running += len(group)
            return group

    def _pop_group(self) -> list[_Due]:
        first = heapq.heappop(self._due)
        most = 1 if first.body is not None else max(first.change.batch, self._switches().batch)
        group = [first]
        now = self._clock.now()
        while len(group) < most and self._due and self._due[0].at <= now and self._due[0].body is None:
            group.append(heapq.heappop(self._due))
        return group

    def _post_group(self, group: list[_Due]) -> None:
        try:
            self._post(group[0], [due.change for due in group])
        finally:
            with self._changed:
                self._running -= len(group)

    def _post(self, due: _Due, changes: Iterable[Change]) -> None:
        switches = self._switches()
        body = due.body or bytes_of(shaped(change, switches) for change in changes)
        for _ in range(1 + (switches.duplicates if due.attempt == 0 else 0)):
            status = self._send(body, switches, due.attempt)
        if status != 200 and due.attempt < len(switches.retry_seconds):
            at = self._clock.now() + switches.retry_seconds[due.attempt]
            self._add(_Due(at, next(self._positions), due.change, body, due.attempt + 1, due.is_repeat))
        if switches.rebatch and due.attempt == 0 and not due.is_repeat:
            self._repeat(changes)

    def _repeat(self, changes: Iterable[Change]) -> None:
        """Plan the same updates again a second later, batched with others."""
        for change in changes:
            repeated = replace(change, batch=1000)
            self._add(_Due(self._clock.now() + 1, next(self._positions), repeated, is_repeat=True))

    def _send(self, body: bytes, switches: Switches, attempt: int) -> int | None:
        if self.url is None:
            return 200
        headers = headers_of(body, self._accounts, switches)
        status, _ = self._connections.call("POST", self.url, body, headers)
        self.posted.append(Posted(self._clock.now(), body, attempt, status))
        return status


def _fraction(position: int) -> float:
    """Return a number from 0 to 1 that looks random and is the same each time."""
    return int.from_bytes(hashlib.sha256(str(position).encode()).digest()[:4], "big") / 2**32
