"""A destination that misbehaves as it is told, over a real socket, and remembers every call."""

import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

HEAD_ENDS = b"\r\n\r\n"
FLOOD = 256 * 1024
"""Pieces of what never ends are large, so that they come as fast as they can be read."""

Script = Callable[["ClientConnection"], bool]
"""Behaves once it was called; True where the connection is for more calls."""


@dataclass(frozen=True)
class Call:
    """A request. `connection` counts from 1; calls on the same one were made on a connection that was kept."""

    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


class ClientConnection:
    """One connection, as scripts use it."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self._over = over

    def say(self, piece: bytes) -> None:
        self.connection.sendall(piece)

    def wait(self, seconds: float = 60) -> bool:
        """Keep silent; True if the test is over."""
        return self._over.wait(seconds)

    def reset(self) -> None:
        """End it as a crash does: by a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()


class ScriptedDestination:
    """Answers each call by the next thing it was told, and by the last one for ever; told nothing, it is well.

    `closed`: how many connections it has closed.
    """

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self._scripts: deque[Script] = deque()
        self._tls = tls
        self._over = threading.Event()
        self._connections = self.closed = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}/hooks"
        threading.Thread(target=self._serve, daemon=True).start()

    def will(self, script: Script) -> None:
        """Behave so, at the next call that nothing else was told for."""
        self._scripts.append(script)

    def recover(self) -> None:
        """Forget what it was told: from now on it is well."""
        self._scripts.clear()

    def will_answer(self, status: int = 200, body: bytes = b"ok", **headers: str) -> None:
        """An answer as it should be. Headers are written with underscores."""
        self.will(answering(status, body, **headers))

    def will_say(self, *pieces: bytes, then: Callable[[ClientConnection], object] = lambda _: None) -> None:
        """These bytes, whatever they are."""

        def script(line: ClientConnection) -> bool:
            for piece in pieces:
                line.say(piece)
            then(line)
            return False

        self.will(script)

    def will_hang(self, *pieces: bytes) -> None:
        """Silence, after these bytes."""
        self.will_say(*pieces, then=ClientConnection.wait)

    def will_drip(self, text: bytes, seconds: float = 0.2) -> None:
        """A byte at a time."""

        def script(line: ClientConnection) -> bool:
            for byte in text:
                line.say(bytes([byte]))
                if line.wait(seconds):
                    break
            return False

        self.will(script)

    def will_flood(self, head: bytes, piece: bytes) -> None:
        """The piece again and again, as fast as it is taken."""

        def script(line: ClientConnection) -> bool:
            line.say(head)
            while True:
                line.say(piece * (FLOOD // len(piece)))

        self.will(script)

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends a waiting accept(), which a close does not
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections += 1
                threading.Thread(target=self._talk, args=(connection, self._connections), daemon=True).start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            line = ClientConnection(connection, self._over)
            while (call := read_call(connection, number)) and self._next(call)(line):
                pass
        connection.close()
        self.closed += 1

    def _next(self, call: Call) -> Script:
        self.calls.append(call)
        if len(self._scripts) > 1:
            return self._scripts.popleft()
        return self._scripts[0] if self._scripts else answering()


def answering(status: int = 200, body: bytes = b"ok", **headers: str) -> Script:
    """A whole answer, after which the connection is kept."""
    lines = [f"HTTP/1.1 {status} {reason_of(status)}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join(lines).encode() + HEAD_ENDS + body

    def script(line: ClientConnection) -> bool:
        line.say(answer)
        return True

    return script


def reason_of(status: int) -> str:
    with contextlib.suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Whatever"


def read_call(connection: socket.socket, number: int) -> Call | None:
    """One request; None once there is none."""
    received = b""
    while HEAD_ENDS not in received:
        piece = connection.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(HEAD_ENDS)
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return Call(first.split(" ")[1], headers, body, number)


@contextlib.contextmanager
def destination_that_accepts_nobody() -> Iterator[str]:
    """A port on which a connection is begun and never made: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for each in waiting:
            each.close()
