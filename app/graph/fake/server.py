"""The HTTP door of the fake: an origin of its own on loopback, real sockets, connections that break on request."""

import re
import socket
import struct
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote

from app.graph.fake.accounts import Accounts
from app.graph.fake.clock import MovableClock
from app.graph.fake.control import PREFIX, Control
from app.graph.fake.journal import Journal
from app.graph.fake.meta import make_meta
from app.graph.fake.posting import Poster
from app.graph.fake.routes import answer
from app.graph.fake.state import MemoryState
from app.graph.fake.switches import read_switches, set_switches
from app.graph.fake.wire import DRIP_SECONDS, Answer, Call

VERSION = re.compile(r"(v\d+\.\d+)(?:/|$)")


class FakeMetaServer(ThreadingHTTPServer):
    """Meta on loopback. `url`: its origin; `control`: the handler of `/_fake/…`, callable in process too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(
        self,
        accounts: Accounts,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: MovableClock | None = None,
        seed: str = "wats",
    ) -> None:
        super().__init__((host, port), _Handler)
        clock, state = clock or MovableClock(), MemoryState()
        poster = Poster(accounts.callback_url, accounts, clock, lambda: read_switches(state))
        self.control = Control(make_meta(accounts, state, clock, poster, seed=seed), state, clock, Journal(), poster)
        self.over = threading.Event()
        self.url = f"http://{host}:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, name="fake meta", daemon=True)

    def start(self) -> None:
        """Begin to answer and to post webhooks."""
        self.control.poster.start()
        self._thread.start()

    def stop(self) -> None:
        """Close the port, break every line and post nothing more."""
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.control.poster.stop()

    def service_actions(self) -> None:
        """Listen no more while connections are to be refused. Another socket keeps the port meanwhile."""
        switches = self.control.meta.switches
        if switches.connection == "refuse":
            self.socket.shutdown(socket.SHUT_RDWR)
            with socket.socket() as keeper:
                keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                keeper.bind(self.server_address)
                self.over.wait(switches.refuse_seconds)
                self.socket.bind(self.server_address)
            set_switches(self.control.state, {"connection": "ok"})
            self.server_activate()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away; print any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: FakeMetaServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a call of any method."""
        call = self._call()
        control = self.server.control
        if call.path.startswith(PREFIX):
            self._send(control.answer(call))
            return
        control.journal.add(call, control.clock.now())
        connection = control.meta.switches.connection
        if connection in ("refuse", "reset_before_headers"):
            self._reset()
            return
        found = answer(control.meta, call)
        if self.server.over.wait(found.delay_seconds):
            self.close_connection = True
            return
        self._send(found, is_reset=connection == "reset_after_headers")

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET  # noqa: N815 - the names that http.server looks for

    def _call(self) -> Call:
        target, _, query = self.path.partition("?")
        path = target.removeprefix("/")
        version = VERSION.match(path)
        if version:
            path = path[version.end() :]
        return Call(
            method=self.command,
            path=unquote(path),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            version=version[1] if version else None,
            origin=self.server.url,
        )

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionResetError("the body was cut: no server answers to a part of one")
            return body
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, found: Answer, *, is_reset: bool = False) -> None:
        head = self._head(found)
        match "reset" if is_reset else found.line:
            case "cut":
                self.close_connection = True
            case "reset":
                self.wfile.write(head)
                self._reset()
            case "half":
                self.wfile.write(head + found.body[: len(found.body) // 2])
                self.close_connection = True
            case "drip":
                self.wfile.write(head)
                self._drip(found.body)
            case _:
                self.wfile.write(head + found.body)

    def _head(self, found: Answer) -> bytes:
        reason = HTTPStatus(found.status).phrase
        headers = {**found.headers, "Content-Length": str(len(found.body)), "Connection": "keep-alive"}
        lines = [f"HTTP/1.1 {found.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _drip(self, body: bytes) -> None:
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.over.wait(DRIP_SECONDS * self.server.control.meta.switches.answer_pace):
                self.close_connection = True
                return

    def _reset(self) -> None:
        """End the connection as a crash does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Print nothing: the journal has it."""
