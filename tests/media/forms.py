"""Forms of clients, and requests that show the headers of their answers."""

import contextlib
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.serving import Running
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import bearer

BOUNDARY = "boundary-of-a-client"
JPEG = b"\xff\xd8\xff\xe0 a picture \r\n--boundary\r\n of our own"


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file(
    content: bytes = JPEG,
    content_type: str | None = "image/jpeg",
    filename: str | None = "a.jpg",
    name: str = "file",
) -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    typed = "" if content_type is None else f"Content-Type: {content_type}\r\n"
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{typed}\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--".encode() + end


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def wrong(self) -> tuple[str, str]:
        """Where the only mistake is, and what it is."""
        [mistake] = self.error["details"]["fields"]
        return mistake["pointer"], mistake["message"]


def ask(
    running: Running,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    token: str = "TEST_SERVICE_TOKEN",
    **headers: str,
) -> Answer:
    """Send a request; return its answer. A body in pieces is sent chunked, unless a length is given."""
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_SECONDS)
    ) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/api{path}", body, {**bearer(token), **named})
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())


def upload(running: Running, body: bytes | Iterable[bytes], **headers: str) -> Answer:
    """Upload this form."""
    multipart = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(running, "POST", "/media", body, **{**multipart, **headers})


def in_pieces(head: bytes, size: int, tail: bytes) -> Iterator[bytes]:
    """Yield a form with a file of this many zeros."""
    yield head
    yield from (bytes(64 * 1024) for _ in range(size // (64 * 1024)))
    yield tail
