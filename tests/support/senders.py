"""Threads that send distinct signed webhooks without end, like Meta, and remember which were answered 200.

What was answered 200 must be in the store, byte for byte: that is the oracle of the tests of faults.
"""

import contextlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from sqlalchemy import select

from app.store import Store
from app.store.tables.schema import receipts
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import PATH, signed

PAUSE_SECONDS = 0.02
"""Each thread pauses between two webhooks, so that they do not use up the processor."""


def numbered_body(number: int) -> bytes:
    """A body of its own for each number, of 50 to 2500 bytes."""
    return json.dumps({"number": number, "text": "x" * (number * 7919 % 2450)}).encode()


class Senders:
    """Threads that send one webhook after the other to a port, whichever process listens there."""

    def __init__(self, port: int, threads: int, body_of: Callable[[int], bytes] = numbered_body) -> None:
        self._port = port
        self._body_of = body_of
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number, threads)) for number in range(threads)]
        self.acknowledged: list[int] = []
        self.answers: Counter[int] = Counter()

    @property
    def answered(self) -> int:
        return self.answers.total()

    @contextlib.contextmanager
    def sending(self) -> Iterator["Senders"]:
        """They send while the block runs; when it ends, each has its last answer."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _send(self, number: int, step: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE_SECONDS)
        while not self._stop.is_set():
            try:
                self._send_one(connection, number)
            except (OSError, http.client.HTTPException):
                self.answers[0] += 1
                connection.close()
            self._stop.wait(PAUSE_SECONDS)
            number += step
        connection.close()

    def _send_one(self, connection: http.client.HTTPConnection, number: int) -> None:
        body = self._body_of(number)
        connection.request("POST", PATH, body, signed(body))
        answer = connection.getresponse()
        answer.read()
        self.answers[answer.status] += 1
        if answer.status == 200:
            self.acknowledged.append(number)


def senders(
    port: int, threads: int = 8, body_of: Callable[[int], bytes] = numbered_body
) -> contextlib.AbstractContextManager[Senders]:
    """So many threads that send to this port while the block runs."""
    return Senders(port, threads, body_of).sending()


def missing(url: str, acknowledged: list[int]) -> list[int]:
    """The acknowledged numbers whose exact bytes are not in the store. There must be none."""
    stored = set(stored_bodies(url))
    return [number for number in acknowledged if numbered_body(number) not in stored]


def stored_bodies(url: str) -> list[bytes]:
    """The body of every receipt, oldest first."""
    store = Store(url, min_free_bytes=0, cooperative=False)
    store.open()
    try:
        query = select(receipts.c.body).order_by(receipts.c.id)
        return store.database.read(lambda c: [bytes(body) for body in c.execute(query).scalars()])
    finally:
        store.close()
