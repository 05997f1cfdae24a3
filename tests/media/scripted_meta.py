"""Meta's calls about files, on a real socket: it remembers what it was asked, and answers as a test has told it."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.graph.fake.fields import File, parts_of
from app.graph.fake.wire import Call
from tests.support.live import LIVE_ENVIRONMENT

TOKEN = LIVE_ENVIRONMENT["TEST_ACCESS_TOKEN"]
HELD_BYTES = 4 * 1024 * 1024
PIECE = 64 * 1024
UNKNOWN = {
    "error": {
        "message": "Unsupported get request.",
        "type": "GraphMethodException",
        "code": 100,
        "error_subcode": 33,
        "fbtrace_id": "A",
    }
}


@dataclass
class FileAtMeta:
    """A file: `content`, or `size` zeros. `told`: what Meta says of it beside the truth. `serves`: other bytes.

    `is_chunked`: it is sent without a length. `halts`: in the middle of sending it Meta waits until the test lets it
    go on.
    """

    content: bytes = b""
    mime_type: str = "image/jpeg"
    size: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    serves: bytes | None = None
    halts: threading.Event | None = None
    is_chunked: bool = False

    def pieces(self) -> Iterator[bytes]:
        if self.size:
            yield from (bytes(PIECE) for _ in range(self.size // PIECE))
        else:
            yield self.content if self.serves is None else self.serves

    @property
    def length(self) -> int:
        return self.size // PIECE * PIECE or len(self.content if self.serves is None else self.serves)

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for piece in self.pieces() if self.size else [self.content]:
            digest.update(piece)
        return digest.hexdigest()


@dataclass
class ReceivedRequest:
    """One call: its method, its path, and what came of its body before the line ended, which `is_over` then."""

    method: str
    path: str
    headers: dict[str, str]
    size: int = 0
    body: bytes = b""
    is_whole: bool = False
    is_over: bool = False

    @property
    def parts(self) -> dict[str, str | File]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return parts_of(Call("POST", "media", headers=headers, body=self.body))


class ScriptedMeta(ThreadingHTTPServer):
    """`files`: by id. `answers`: what is answered to the next calls, in the place of the usual. `halted`: a file is
    on its way, and halts."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # with the usual 5, connections are dropped when many come at once

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, FileAtMeta] = {}
        self.answers: list[tuple[int, str, bytes]] = []
        self.asked: list[ReceivedRequest] = []
        self.halted = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def will_answer(self, status: int, body: Any, mime_type: str = "application/json") -> None:
        """Answer the next call with this, whatever it is."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, mime_type, data))

    def asked_for(self, method: str, part: str = "") -> list[ReceivedRequest]:
        return [each for each in self.asked if each.method == method and part in each.path]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go away in these tests."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedMeta
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self._note()
        left = int(self.headers["Content-Length"])
        held, digest = bytearray(), hashlib.sha256()
        while left and (piece := self.rfile.read1(min(left, PIECE))):
            left -= len(piece)
            asked.size += len(piece)
            digest.update(piece)
            if asked.size <= HELD_BYTES:
                held += piece
        asked.body, asked.is_whole, asked.is_over = bytes(held), not left, True
        if asked.is_whole:
            self._answer_or(200, json.dumps({"id": "1234567"}).encode(), "application/json")
        else:
            self.close_connection = True

    def do_GET(self) -> None:
        if (
            "/debug_token?" in self.path
        ):  # a worker asks about its token when it likes: no answer of a test's is for it
            self._answer(200, b'{"data": {"is_valid": true}}', "application/json")
            return
        self._note()
        media_id = self.path.rpartition("/")[2].partition("?")[0]
        file = self.server.files.get(media_id)
        if self.server.answers or file is None:
            self._answer_or(400, json.dumps(UNKNOWN).encode(), "application/json")
        elif self.path.startswith("/file/"):
            self._send_file(file)
        else:
            told = {
                "messaging_product": "whatsapp",
                "id": media_id,
                "mime_type": file.mime_type,
                "sha256": file.sha256,
                "file_size": str(file.length),
            }
            told = {**told, "url": f"{self.server.url}/file/{media_id}", **file.told}
            self._answer_or(200, json.dumps(told).encode(), "application/json")

    def do_DELETE(self) -> None:
        self._note()
        media_id = self.path.rpartition("/")[2].partition("?")[0]
        if self.server.files.pop(media_id, None) is None:
            self._answer_or(400, json.dumps(UNKNOWN).encode(), "application/json")
        else:
            self._answer_or(200, b'{"success":true}', "application/json")

    def _send_file(self, file: FileAtMeta) -> None:
        self.send_response(200)
        self.send_header("Content-Type", file.mime_type)
        if file.is_chunked:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(file.length))
        self.end_headers()
        for number, piece in enumerate(file.pieces()):
            if file.halts is not None and number:
                self.server.halted.set()
                file.halts.wait()
            self.wfile.write(piece)

    def _answer_or(self, status: int, body: bytes, mime_type: str) -> None:
        if self.server.answers:
            status, mime_type, body = self.server.answers.pop(0)
        self._answer(status, body, mime_type)

    def _answer(self, status: int, body: bytes, mime_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", mime_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _note(self) -> ReceivedRequest:
        asked = ReceivedRequest(self.command, self.path, dict(self.headers))
        self.server.asked.append(asked)
        return asked

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def scripted_meta() -> Iterator[ScriptedMeta]:
    """Meta, while the block runs."""
    server = ScriptedMeta()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
