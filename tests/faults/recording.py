"""A destination that remembers every POST: which event it was, and what update it held."""

import contextlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

THINKING_SECONDS = 0.03
"""An application takes a moment to answer, so that there is always something in flight."""


def update_of(raw: Mapping[str, Any]) -> str:
    """What tells an update of Meta's from all others: a message's id, or a status of it."""
    return f"{raw['id']} {raw.get('status', '')}".strip()


@dataclass
class Gate:
    """Where POSTs wait for their answer."""

    status: int = 200
    open: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int) -> None:
        """Answer the requests that wait, and those that come later."""
        self.status = status
        self.open.set()

    def wait(self) -> int:
        """The status, once it is given."""
        self.open.wait()
        return self.status


class Recording:
    """What a destination has seen.

    `most_at_once`: how many POSTs were in flight at the same time, of all customers and of one. `overtaken`: events
    that came after a later one of their customer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gate = Gate()
        self._gate.answer(200)
        self._open: Counter[str] = Counter()
        self._latest: dict[str, int] = defaultdict(int)
        self.posts: Counter[str] = Counter()
        self.ids_of_update: dict[str, set[str]] = defaultdict(set)
        self.most_at_once = self.most_of_a_customer = 0
        self.overtaken: list[str] = []

    def hold(self) -> Gate:
        """The POSTs that come from now on wait at this gate."""
        self._gate = Gate()
        return self._gate

    def note(self, event_id: str, event: Mapping[str, Any]) -> Gate:
        """One POST, in flight until it is answered; where it waits for that."""
        customer, sequence = event["contact"]["waId"], event["sequence"]
        with self._lock:
            self.posts[event_id] += 1
            self.ids_of_update[update_of(event["raw"])].add(event_id)
            self._open[customer] += 1
            self.most_at_once = max(self.most_at_once, self._open.total())
            self.most_of_a_customer = max(self.most_of_a_customer, self._open[customer])
            if sequence < self._latest[customer]:
                self.overtaken.append(event_id)
            self._latest[customer] = max(self._latest[customer], sequence)
            return self._gate

    def note_answer(self, event: Mapping[str, Any]) -> None:
        """A POST that is answered now."""
        with self._lock:
            self._open[event["contact"]["waId"]] -= 1

    @property
    def repeated(self) -> int:
        """How many POSTs were one too many."""
        return self.posts.total() - len(self.posts)

    @property
    def doubled(self) -> list[str]:
        """Updates that came under more than one id."""
        return [update for update, ids in self.ids_of_update.items() if len(ids) > 1]


class Server(ThreadingHTTPServer):
    """Logs nothing about a client that dies in the middle of a request."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Quietly."""


@contextlib.contextmanager
def recording() -> Iterator[tuple[Recording, int]]:
    """A destination on a port of its own while the block runs."""
    seen = Recording()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            gate = seen.note(self.headers["webhook-id"], event)
            time.sleep(THINKING_SECONDS)
            status = gate.wait()
            seen.note_answer(event)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Quietly."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield seen, server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
