"""A fast destination in a process of its own: answers 200 and notes how late each event is.

    python -m bench.destination PORT

An event's text says when its webhook was sent (`sent=<seconds>;`). A line on standard input asks for what was seen
since the last one; the answer is a line of JSON: events, seconds between the first and the last, lags in seconds.
"""

import json
import re
import sys
import time

from gevent.fileobject import FileObject
from gevent.server import StreamServer
from gevent.socket import socket

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SENT = re.compile(rb"sent=([0-9.]+);")


class Seen:
    """What came since somebody last asked."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.lags: list[float] = []

    def note(self, body: bytes) -> None:
        now = time.time()
        self.times.append(now)
        if sent := SENT.search(body):
            self.lags.append(now - float(sent[1]))

    def tell(self) -> str:
        times, lags = self.times, self.lags
        self.times, self.lags = [], []
        return json.dumps({"times": times, "lags": lags})


def serve(port: int) -> None:
    """Take events until standard input ends."""
    seen = Seen()

    def answer(connection: socket, _peer: object) -> None:
        received = b""
        while piece := connection.recv(65536):
            received += piece
            while (end := received.find(b"\r\n\r\n") + 4) > 3 and len(received) >= end + _length(received[:end]):
                whole = end + _length(received[:end])
                seen.note(received[end:whole])
                received = received[whole:]
                connection.sendall(OK)

    server = StreamServer(("127.0.0.1", port), answer, backlog=256)
    server.start()
    print("ready", flush=True)
    for _ in FileObject(sys.stdin.fileno(), "r", close=False):
        print(seen.tell(), flush=True)


def _length(head: bytes) -> int:
    found = LENGTH.search(head)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    serve(int(sys.argv[1]))
