"""What stands between a proxy and the gateway in a test: it notes each request as it arrived, and passes it on."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.waiting import DEADLINE_SECONDS

KEPT = ("Content-Type", "Authorization", "X-Hub-Signature-256")


class Relay(ThreadingHTTPServer):
    """`arrived`: the path and the headers of each request, by their names in lower case."""

    daemon_threads = True

    def __init__(self, gateway_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.gateway_port = gateway_port
        self.arrived: list[tuple[str, dict[str, str]]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # the proxy gave up
            return
        self.server.arrived.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        headers = {name: self.headers[name] for name in KEPT if name in self.headers}
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.server.gateway_port, timeout=DEADLINE_SECONDS)
        ) as gateway:
            gateway.request(self.command, self.path, body, headers)
            answer = gateway.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextlib.contextmanager
def relaying(gateway_port: int) -> Iterator[Relay]:
    """A relay that listens while the block runs."""
    relay = Relay(gateway_port)
    thread = threading.Thread(target=relay.serve_forever)
    thread.start()
    try:
        yield relay
    finally:
        relay.shutdown()
        thread.join()
        relay.server_close()
