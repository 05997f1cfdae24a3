"""A client's connection: the pieces of a response are sent together and in order."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.server.connection import MAX_BUFFERED_BYTES, Connection
from app.server.gunicorn_worker import CLIENT, flush_and_yield

Pair = tuple[Connection, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    server, client = socket.socketpair()
    connection = Connection(server.family, server.type, server.proto, fileno=server.detach())
    client.setblocking(False)
    yield connection, client
    connection.close()
    client.close()


def received(client: socket.socket) -> bytes:
    try:
        return client.recv(1 << 20)
    except BlockingIOError:
        return b""


def test_head_and_body_of_a_response_are_sent_together(pair: Pair) -> None:
    connection, client = pair
    connection.cork()

    connection.sendall(b"head ")
    connection.sendall(b"body")
    before, _ = received(client), connection.uncork()

    assert before == b""
    assert received(client) == b"head body"


def test_data_outside_of_a_response_is_sent_at_once(pair: Pair) -> None:
    connection, client = pair

    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    assert received(client) == b"HTTP/1.1 400 Bad Request\r\n\r\n"


def test_a_large_response_is_not_buffered(pair: Pair) -> None:
    connection, client = pair
    connection.cork()

    connection.sendall(b"head")
    connection.sendall(b"x" * MAX_BUFFERED_BYTES)

    assert len(received(client)) == 4 + MAX_BUFFERED_BYTES
    connection.uncork()
    assert received(client) == b""


def test_a_file_is_sent_after_its_head(pair: Pair, tmp_path: Path) -> None:
    connection, client = pair
    file = tmp_path / "style.css"
    file.write_bytes(b"body {}")
    connection.cork()

    connection.sendall(b"head ")
    with file.open("rb") as opened:
        connection.sendfile(opened, 0, 7)
    connection.uncork()

    assert received(client) == b"head body {}"


def test_nothing_is_sent_twice_to_a_client_that_has_gone(pair: Pair) -> None:
    connection, client = pair
    connection.cork()
    connection.sendall(b"head")
    client.close()

    with pytest.raises(BrokenPipeError):
        connection.uncork()

    connection.uncork()


class FullOnce(Connection):
    """A connection whose first `send` finds no buffer space."""

    _was_full = False

    def send(self, data: Any, flags: int = 0, timeout: Any = None) -> int:
        if self._was_full:
            return super().send(data, flags)
        self._was_full = True
        raise OSError(errno.ENOBUFS, "no buffer space")


def test_no_response_follows_one_that_was_lost() -> None:
    server, client = socket.socketpair()
    with client, FullOnce(server.family, server.type, server.proto, fileno=server.detach()) as connection:
        connection.cork()
        connection.sendall(b"first")
        flush_and_yield({CLIENT: connection})

        with pytest.raises(BrokenPipeError):
            connection.sendall(b"second")

        assert connection.recv(10) == b""
        assert client.recv(10) == b""
