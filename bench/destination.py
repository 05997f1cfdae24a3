"""A fast destination in a process of its own: answers 200 and measures the lag of each event.

    python -m bench.destination PORT

An event's text holds the time at which its webhook was sent (`sent=<seconds>;`). For each line on standard input the
process prints a line of JSON about the events since the last line: `times` of arrival and `lags`, both in seconds.
"""

import json
import re
import sys
import time
from collections.abc import Callable

from gevent.fileobject import FileObject
from gevent.server import StreamServer
from gevent.socket import socket

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SENT = re.compile(rb"sent=([0-9.]+);")


class Arrivals:
    """The events that came since the last report."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.lags: list[float] = []

    def record(self, body: bytes) -> None:
        now = time.time()
        self.times.append(now)
        if sent := SENT.search(body):
            self.lags.append(now - float(sent[1]))

    def report(self) -> str:
        times, lags = self.times, self.lags
        self.times, self.lags = [], []
        return json.dumps({"times": times, "lags": lags})


def serve(port: int, respond: Callable[[bytes], bytes] = lambda _: OK) -> None:
    """Accept events until standard input ends. `respond` returns the response to a body."""
    arrivals = Arrivals()

    def answer(connection: socket, _peer: object) -> None:
        received = b""
        while piece := connection.recv(65536):
            received += piece
            while (end := received.find(b"\r\n\r\n") + 4) > 3 and len(received) >= end + _length(received[:end]):
                whole = end + _length(received[:end])
                body, received = received[end:whole], received[whole:]
                arrivals.record(body)
                connection.sendall(respond(body))

    server = StreamServer(("127.0.0.1", port), answer, backlog=1024)
    server.start()
    print("ready", flush=True)
    for _ in FileObject(sys.stdin.fileno(), "r", close=False):
        print(arrivals.report(), flush=True)


def _length(head: bytes) -> int:
    match = LENGTH.search(head)
    return int(match[1]) if match else 0


if __name__ == "__main__":
    serve(int(sys.argv[1]))
