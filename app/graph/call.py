"""One call to the Graph API as it is: what is asked, and an answer that is read piece by piece.

Neither side is held in memory as a whole. This package does not know what a call means.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from app.domain.meta.graph_path import UPLOAD_SESSION
from app.domain.meta.graph_text import masked
from app.domain.send_answer import SendAnswer

READ_SECONDS = 30.0
"""How long Meta may be silent. A message whose answer comes later is unknown until a status for it comes."""

TOTAL_SECONDS = 45.0
"""How long sending a message may take, its answer included."""

Headers = Sequence[tuple[str, str]]

HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
NOT_SENT = HOP_BY_HOP | {"host", "authorization", "cookie", "content-length", "accept-encoding", "expect"}
NOT_GIVEN_BACK = HOP_BY_HOP | {"set-cookie", "www-authenticate", "content-encoding"}
LIST = re.compile(r"\s*,\s*")


class GraphUnreachable(Exception):
    """No answer, or not the whole of one. `reason` is a stable phrase. `was_sent`: Meta may have the request.

    `retry_seconds`: after which another try makes sense, if that is known.
    """

    def __init__(self, reason: str, *, was_sent: bool = True, retry_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent
        self.retry_seconds = retry_seconds


@dataclass(frozen=True)
class GraphRequest:
    """A call of the Graph API.

    `path`: undecoded, without the version and the first slash. `query`: undecoded, without `?`. `version`: such as
    `v25.0`; the configured one if None. `headers`: those of the caller; what is not for Meta is left out. `body`:
    bytes, or pieces that are read once; with a `length` they are sent with it, otherwise chunked. `can_wait`: no
    client waits for it, so that it leaves what is left of Meta's limits to others.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes | Iterable[bytes] = b""
    length: int | None = None
    version: str | None = None
    can_wait: bool = False

    @property
    def scheme(self) -> str:
        """Return the scheme of the token in the header Authorization. That of an upload's session is another."""
        return "OAuth" if self.path.lower().startswith(UPLOAD_SESSION) else "Bearer"


@dataclass(frozen=True)
class GraphReply:
    """An answer. Its body is `chunks`, which raise `GraphUnreachable` if it breaks off. Close it, read or not.

    `headers` are those that are for the caller; they may hold a name twice. There is a `Content-Length` only if the
    chunks are as long. `secrets`: each spelling of a token that the body may repeat.
    """

    status: int
    headers: Headers
    chunks: Iterator[bytes]
    close: Callable[[], None] = lambda: None
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    def header(self, name: str) -> str | None:
        """Return the first header of this name, given in lower case."""
        return next((value for each, value in self.headers if each.lower() == name), None)

    def read(self, limit: int) -> bytes:
        """Return the body without our tokens: Meta repeats one that it cannot read.

        Raises `GraphUnreachable` if the body is longer.
        """
        content = bytearray()
        for chunk in self.chunks:
            content += chunk
            if len(content) > limit:
                raise GraphUnreachable("answer too large")
        return masked(bytes(content), self.secrets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class GraphApi(Protocol):
    """The Graph API, or in a dry-run the fake one."""

    def send(
        self, phone_number_id: str, endpoint: str, body: bytes, may_still_write: Callable[[], bool]
    ) -> SendAnswer:
        """POST one message, unless it may not be written any more. Never raise for what the network or Meta does."""
        ...

    def call(self, request: GraphRequest) -> GraphReply:
        """Make one call, whatever it is, and return once the head of the answer is there.

        Raises `GraphUnreachable`, and whatever the pieces of the body raise.
        """
        ...

    def download(self, url: str) -> GraphReply:
        """Get the bytes at an address from Meta. Raises `GraphUnreachable`, also if it is not Meta's."""
        ...


def sent_headers(headers: Headers) -> dict[str, str]:
    """Return those headers of a caller that Meta gets. The values of a name that occurs twice are joined."""
    sent: dict[str, str] = {}
    for name, value in _without(headers, NOT_SENT):
        sent[name] = f"{sent[name]}, {value}" if name in sent else value
    return sent


def given_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return those headers of Meta's answer that a caller gets."""
    is_encoded = any(name.lower() == "content-encoding" for name, _ in headers)
    return _without(headers, NOT_GIVEN_BACK | {"content-length"} if is_encoded else NOT_GIVEN_BACK)


def _without(headers: Headers, dropped: Iterable[str]) -> list[tuple[str, str]]:
    """Leave out these headers, and those that `Connection` names (RFC 9110, section 7.6.1)."""
    named = {
        name.lower() for header, value in headers if header.lower() == "connection" for name in LIST.split(value)
    }
    return [(name, value) for name, value in headers if name.lower() not in named.union(dropped)]
