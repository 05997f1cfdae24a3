"""A relay between a worker and PostgreSQL that counts round trips, in a process of its own.

    python -m bench.round_trips PORT

It prints the port that it listens on. For each line on standard input it prints the round trips since the last one:
how often a client spoke after the server had spoken.
"""

import sys

import gevent
from gevent import socket
from gevent.fileobject import FileObject
from gevent.server import StreamServer

SERVER, CLIENT = "server", "client"


class Count:
    """The round trips of all connections."""

    def __init__(self) -> None:
        self.trips = 0

    def relay(self, client: socket.socket, port: int) -> None:
        """Pass on what both sides of a connection say until one of them ends it."""
        server = socket.create_connection(("127.0.0.1", port))
        for connection in (client, server):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        spoke = [SERVER]
        gevent.joinall(
            [
                gevent.spawn(self._pass_on, client, server, CLIENT, spoke),
                gevent.spawn(self._pass_on, server, client, SERVER, spoke),
            ]
        )

    def _pass_on(self, source: socket.socket, target: socket.socket, side: str, spoke: list[str]) -> None:
        try:
            while piece := source.recv(65536):
                self.trips += side == CLIENT and spoke[0] == SERVER
                spoke[0] = side
                target.sendall(piece)
        except OSError:
            pass
        source.close()
        target.close()


def serve(port: int) -> None:
    """Relay until standard input ends."""
    count = Count()
    server = StreamServer(("127.0.0.1", 0), lambda client, _peer: count.relay(client, port))
    server.start()
    print(server.server_port, flush=True)
    for _ in FileObject(sys.stdin.fileno(), "r", close=False):
        print(count.trips, flush=True)
        count.trips = 0


if __name__ == "__main__":
    serve(int(sys.argv[1]))
