"""A client's connection: what an answer is made of goes out together and in order."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.server.connection import GATHERED_BYTES, Connection
from app.server.worker import CLIENT, flush_and_yield

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


def test_head_and_body_of_an_answer_go_out_together(pair: Pair) -> None:
    connection, client = pair
    connection.cork()

    connection.sendall(b"head ")
    connection.sendall(b"body")
    before, _ = received(client), connection.uncork()

    assert before == b""
    assert received(client) == b"head body"


def test_what_is_no_answer_goes_out_at_once(pair: Pair) -> None:
    connection, client = pair

    connection.sendall(b"HTTP/1.1 400 InvalidValue Request\r\n\r\n")

    assert received(client) == b"HTTP/1.1 400 InvalidValue Request\r\n\r\n"


def test_a_large_answer_is_not_held_in_memory(pair: Pair) -> None:
    connection, client = pair
    connection.cork()

    connection.sendall(b"head")
    connection.sendall(b"x" * GATHERED_BYTES)

    assert len(received(client)) == 4 + GATHERED_BYTES
    connection.uncork()
    assert received(client) == b""


def test_a_file_comes_after_the_head_that_announces_it(pair: Pair, tmp_path: Path) -> None:
    connection, client = pair
    file = tmp_path / "style.css"
    file.write_bytes(b"body {}")
    connection.cork()

    connection.sendall(b"head ")
    with file.open("rb") as opened:
        connection.sendfile(opened, 0, 7)
    connection.uncork()

    assert received(client) == b"head body {}"


def test_nothing_of_an_answer_is_sent_twice_when_its_client_is_gone(pair: Pair) -> None:
    connection, client = pair
    connection.cork()
    connection.sendall(b"head")
    client.close()

    with pytest.raises(BrokenPipeError):
        connection.uncork()

    connection.uncork()


class WithoutRoom(Connection):
    """Its system has no room for the first that is to be sent."""

    _has_room = False

    def send(self, data: Any, flags: int = 0, timeout: Any = None) -> int:
        if self._has_room:
            return super().send(data, flags)
        self._has_room = True
        raise OSError(errno.ENOBUFS, "no buffer space")


def test_an_answer_that_is_lost_is_not_followed_by_the_next_one() -> None:
    server, client = socket.socketpair()
    with client, WithoutRoom(server.family, server.type, server.proto, fileno=server.detach()) as connection:
        connection.cork()
        connection.sendall(b"first")
        flush_and_yield({CLIENT: connection})

        with pytest.raises(BrokenPipeError):
            connection.sendall(b"second")

        assert connection.recv(10) == b""
        assert client.recv(10) == b""
