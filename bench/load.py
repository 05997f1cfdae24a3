"""A load generator for one core: many keep-alive connections, one epoll loop, complete requests handed in.

Closed loop: every connection sends its next request as soon as it has the answer to its last one.
Open loop: requests fall due at a steady rate, whatever the server does; the wait for a free connection counts.
"""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.frame import percentile

HEADER_END = b"\r\n\r\n"
LENGTH = b"content-length:"
ANSWER_SECONDS = 30
"""How long the last answers are waited for."""


@dataclass
class Result:
    """The result of a run. Times are in seconds; `cpu` is the generator's share of a core.

    `latencies` are those of requests that were answered with success; `statuses` counts all answers, 0 those that a
    closed connection has cut off. `unanswered` counts the requests that were due and got no answer.
    """

    wall: float
    cpu: float
    latencies: list[float] = field(repr=False)
    statuses: dict[int, int]
    unanswered: int = 0

    @property
    def per_second(self) -> float:
        """Requests that were answered with success."""
        return len(self.latencies) / self.wall

    @property
    def failed(self) -> int:
        """Requests that were refused, cut off or not answered."""
        return sum(self.statuses.values()) + self.unanswered - len(self.latencies)

    def percentile(self, share: float) -> float:
        """Return a percentile of all latencies: a request that failed took longer than any other."""
        return percentile(self.latencies, share, of=len(self.latencies) + self.failed)


def joined(runs: Sequence[Result]) -> Result:
    """Return several consecutive runs as one."""
    wall, statuses = sum(run.wall for run in runs), Counter[int]()
    for run in runs:
        statuses.update(run.statuses)
    latencies = [latency for run in runs for latency in run.latencies]
    cpu, unanswered = sum(run.cpu * run.wall for run in runs) / wall, sum(run.unanswered for run in runs)
    return Result(wall, cpu, latencies, dict(statuses), unanswered)


class Connection:
    """One keep-alive connection with at most one request in flight."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due = 0.0
        self.received = b""

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.received = b""
        try:
            sent = self.socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            self.socket.setblocking(True)
            self.socket.sendall(request[sent:])
            self.socket.setblocking(False)

    def status(self) -> int | None:
        """Return the status of the answer once it is complete, None before; 0 if the server closed the connection."""
        chunk = self.socket.recv(65536)
        if not chunk:
            return 0
        self.received += chunk
        head, end, body = self.received.partition(HEADER_END)
        if not end or len(body) < _content_length(head):
            return None
        return int(head[9:12])


def run(
    address: tuple[str, int],
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
) -> Result:
    """Send for this many seconds: `rate` requests per second if given (open loop), else as fast as answers come."""
    loop = _Loop(address, requests, connections)
    try:
        return loop.run(seconds, rate)
    finally:
        loop.close()


class _Loop:
    def __init__(self, address: tuple[str, int], requests: Iterator[bytes], connections: int) -> None:
        self.address = address
        self.requests = requests
        self.selector = selectors.EpollSelector()
        self.idle = deque(self._open() for _ in range(connections))
        self.busy = 0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}

    def run(self, seconds: float, rate: float | None) -> Result:
        started, cpu = time.perf_counter(), time.process_time()
        self.until = started + seconds
        self.step = 1 / rate if rate else 0.0
        self.next_due = started
        while (now := time.perf_counter()) < self.until:
            self._send_due(now)
            self._collect(timeout=self._seconds_to_wait())
        unsent = self._unsent()
        while self.busy and time.perf_counter() < self.until + ANSWER_SECONDS:
            self._collect(timeout=0.05)
        share = (time.process_time() - cpu) / seconds
        return Result(seconds, share, self.latencies, self.statuses, unsent + self.busy)

    def _unsent(self) -> int:
        """Return how many requests fell due while no connection was free, and were not sent until the end."""
        return int((self.until - self.next_due) / self.step) if self.step and not self.idle else 0

    def _send_due(self, now: float) -> None:
        while self.idle and now < self.until and (not self.step or self.next_due <= now):
            connection = self.idle.popleft()
            due = self.next_due if self.step else now
            self.next_due += self.step
            self.busy += 1
            connection.send(next(self.requests), due)

    def _seconds_to_wait(self) -> float:
        if not self.step or not self.idle:
            return 0.05
        return max(0.0, min(0.05, self.next_due - time.perf_counter()))

    def _collect(self, timeout: float) -> None:
        for key, _ in self.selector.select(timeout):
            connection: Connection = key.data
            if connection in self.idle:  # the server has closed it
                self.idle.remove(connection)
                self.idle.append(self._reopen(connection))
                continue
            status = self._status(connection)
            if status is None:
                continue
            self.busy -= 1
            if 200 <= status < 300:
                self.latencies.append(time.perf_counter() - connection.due)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.idle.append(connection if status else self._reopen(connection))

    def _status(self, connection: Connection) -> int | None:
        try:
            return connection.status()
        except OSError:
            return 0

    def _open(self) -> Connection:
        connection = Connection(self.address)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def _reopen(self, connection: Connection) -> Connection:
        self.selector.unregister(connection.socket)
        connection.socket.close()
        return self._open()

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            key.data.socket.close()
        self.selector.close()


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(LENGTH)
    return int(lowered[start + len(LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
