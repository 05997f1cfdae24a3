"""Hostile clients: silent ones, slow ones, floods. They connect to loopback addresses only and end with the run."""

import contextlib
import multiprocessing
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event as StopEvent
from pathlib import Path

Address = tuple[str, int]

PATH = "/webhooks/whatsapp"
DESCRIPTORS = 8192
START_SECONDS = 120
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n".encode()
SIGNED = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"
HELD_BYTES = 3 * 1024 * 1024
BIG_BYTES = 40 * 1024 * 1024
UNSIGNED = HEAD + b"Content-Length: 2\r\n\r\n{}"
CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"


def stay_silent(address: Address, stop: StopEvent) -> None:
    """Open a thousand connections that send nothing."""
    connections = _connections(address, 1000)
    while not stop.wait(0.5):
        _replace_closed(connections, address)


def drip_headers(address: Address, stop: StopEvent) -> None:
    """Open a thousand connections that send one byte of their headers per second."""
    _drip(address, stop, HEAD + b"X-Slow: " + b"a" * 4000, opening=b"")


def drip_bodies(address: Address, stop: StopEvent) -> None:
    """Open a thousand connections that send one byte of their bodies per second."""
    _drip(address, stop, b"x" * 4000, opening=HEAD + SIGNED + b"Content-Length: 4000\r\n\r\n")


def withhold_bodies(address: Address, stop: StopEvent) -> None:
    """Open a thousand connections whose declared bodies never come."""
    connections = _connections(address, 1000)
    for connection in connections:
        connection.sendall(HEAD + SIGNED + b"Content-Length: 2000\r\n\r\n")
    stop.wait()


def flood_bodies(address: Address, stop: StopEvent) -> None:
    """Send unsigned bodies of 40 MB over fifty connections, declared or chunked, again and again."""
    declared = HEAD + b"Content-Length: %d\r\n\r\n" % BIG_BYTES
    chunked = HEAD + SIGNED + b"Transfer-Encoding: chunked\r\n\r\n"
    for number in range(50):
        head, piece = (declared, b"x" * 65536) if number % 2 else (chunked, CHUNK)
        threading.Thread(target=_flood, args=(address, stop, head, piece), daemon=True).start()
    stop.wait()


def endless_chunks(address: Address, stop: StopEvent) -> None:
    """Send endless bodies of one-byte chunks over twenty connections."""
    head = HEAD + SIGNED + b"Transfer-Encoding: chunked\r\n\r\n"
    for _ in range(20):
        threading.Thread(target=_flood, args=(address, stop, head, b"1\r\nx\r\n" * 500), daemon=True).start()
    stop.wait()


def hold_bodies(address: Address, stop: StopEvent) -> None:
    """Hold large bodies that never end over a hundred connections. After a 503 the next one is half as large."""
    for _ in range(100):
        threading.Thread(target=_hold, args=(address, stop), daemon=True).start()
    stop.wait()


def flood_headers(address: Address, stop: StopEvent) -> None:
    """Send endless headers over fifty connections, line after line, as fast as the server reads them."""
    line = b"X-Flood: " + b"a" * 4000 + b"\r\n"
    for _ in range(50):
        threading.Thread(target=_flood, args=(address, stop, HEAD, line), daemon=True).start()
    stop.wait()


def pipeline(address: Address, stop: StopEvent) -> None:
    """Send request after request over fifty connections; half of them never read a response."""
    for number in range(50):
        threading.Thread(target=_pipeline, args=(address, stop, bool(number % 2)), daemon=True).start()
    stop.wait()


ATTACKS: tuple[Callable[[Address, StopEvent], None], ...] = (
    stay_silent,
    drip_headers,
    flood_headers,
    pipeline,
    drip_bodies,
    withhold_bodies,
    flood_bodies,
    endless_chunks,
    hold_bodies,
)


FEW = (flood_headers, pipeline, flood_bodies, endless_chunks)
CONNECTIONS = {**dict.fromkeys(ATTACKS, 500), **dict.fromkeys(FEW, 10), hold_bodies: 64}
"""The least number of connections that an attack holds once it has started."""


@contextlib.contextmanager
def under(attack: Callable[[Address, StopEvent], None], address: Address) -> Iterator[None]:
    """Attack from a process of its own while the block runs. The block starts once the attack has its connections."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    process = context.Process(target=_attack, args=(attack, address, stop), daemon=True)
    process.start()
    try:
        _wait_for_connections(address, CONNECTIONS[attack])
        yield
    finally:
        stop.set()
        process.join(3)
        process.kill()
        process.join()


def _wait_for_connections(address: Address, number: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while _established(address) < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the attack made fewer than {number} connections in {START_SECONDS} seconds")
        time.sleep(0.05)


def _established(address: Address) -> int:
    """Return how many connections to this port the kernel holds."""
    port, established = f":{address[1]:04X}", "01"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(port) and row[3] == established for row in rows)


def _attack(attack: Callable[[Address, StopEvent], None], address: Address, stop: StopEvent) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    attack(address, stop)


def _connections(address: Address, count: int) -> list[socket.socket]:
    return [socket.create_connection(address, timeout=10) for _ in range(count)]


def _drip(address: Address, stop: StopEvent, message: bytes, opening: bytes) -> None:
    connections = _connections(address, 1000)
    for connection in connections:
        connection.sendall(opening)
        connection.setblocking(False)
    for byte in message:
        for index, connection in enumerate(connections):
            try:
                connection.send(bytes([byte]))
            except OSError:
                connections[index] = _reconnect(connection, address, opening)
        if stop.wait(1):
            return


def _replace_closed(connections: list[socket.socket], address: Address) -> None:
    for index, connection in enumerate(connections):
        connection.setblocking(False)
        try:
            closed = connection.recv(1) == b""
        except BlockingIOError:
            closed = False
        except OSError:
            closed = True
        if closed:
            connections[index] = _reconnect(connection, address, b"")


def _reconnect(connection: socket.socket, address: Address, opening: bytes) -> socket.socket:
    connection.close()
    with contextlib.suppress(OSError):
        connection = socket.create_connection(address, timeout=1)
        connection.sendall(opening)
        connection.setblocking(False)
    return connection


def _flood(address: Address, stop: StopEvent, head: bytes, piece: bytes) -> None:
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=5) as connection:
            connection.sendall(head)
            for _ in range(BIG_BYTES // len(piece)):
                connection.sendall(piece)
                if stop.is_set():
                    return


def _hold(address: Address, stop: StopEvent) -> None:
    size = HELD_BYTES
    while not stop.is_set():
        head = HEAD + SIGNED + b"Content-Length: %d\r\n\r\n" % (size + 1)
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=30) as connection:
            connection.sendall(head + b"x" * size)
            size = max(1, size // 2) if connection.recv(64).startswith(b"HTTP/1.1 503") else HELD_BYTES


def _pipeline(address: Address, stop: StopEvent, reads: bool) -> None:
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=5) as connection:
            while not stop.is_set():
                connection.sendall(UNSIGNED * 50)
                if reads:
                    connection.recv(1 << 20)
