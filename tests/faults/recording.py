"""A destination that remembers every POST: which event it was, what message it held, and how it was answered."""

import contextlib
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recording:
    """What a destination has seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.posts: Counter[str] = Counter()
        self.ids_of_message: dict[str, set[str]] = defaultdict(set)
        self.answer = 200

    def note(self, event_id: str, body: bytes) -> int:
        """One POST; the status to answer with."""
        wamid = json.loads(body)["data"]["id"]
        with self._lock:
            self.posts[event_id] += 1
            self.ids_of_message[wamid].add(event_id)
        return self.answer

    @property
    def repeated(self) -> int:
        """How many POSTs were one too many."""
        return self.posts.total() - len(self.posts)

    @property
    def doubled(self) -> list[str]:
        """Messages that came under more than one id."""
        return [wamid for wamid, ids in self.ids_of_message.items() if len(ids) > 1]


@contextlib.contextmanager
def recording() -> Iterator[tuple[Recording, int]]:
    """A destination on a port of its own while the block runs."""
    seen = Recording()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = seen.note(self.headers["webhook-id"], body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield seen, server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
