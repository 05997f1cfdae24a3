"""Group commit: what has gathered is written in one transaction, and each caller waits for its own commit.

With 5 ms for an fsync this takes thousands of items a second where a transaction for each would take 200.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import gevent
from gevent.event import Event

from app.store.errors import StoreRefused, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

BATCH_ITEMS = 500
BATCH_BYTES = 16 * 1024 * 1024
QUEUED_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 0.030


class Batch(Generic[T, R]):
    """Items that will share a transaction, and what became of each once `done` is set."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.size = 0
        self.outcomes: Sequence[R | StoreUnavailable] = ()
        self.done = Event()

    @property
    def is_full(self) -> bool:
        return len(self.items) >= BATCH_ITEMS or self.size >= BATCH_BYTES

    def settle(self, outcomes: Sequence[R | StoreUnavailable]) -> None:
        """Tell everybody who waits."""
        self.outcomes = outcomes
        self.done.set()

    def fail(self, error: StoreUnavailable) -> None:
        """Nothing of it was stored."""
        self.settle([error] * len(self.items))


class GroupCommit(Generic[T, R]):
    """Gathers items of greenlets and writes them together, in the order they came.

    `write` returns within a time of its own, whatever the database does, so that nobody waits for ever.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Sequence[R]],
        *,
        linger_seconds: float = LINGER_SECONDS,
        queued_bytes: int = QUEUED_BYTES,
    ) -> None:
        self._write = write
        self._linger_seconds = linger_seconds
        self._most_queued_bytes = queued_bytes
        self._queue: deque[Batch[T, R]] = deque()
        self._queued_bytes = 0
        self._filled = Event()
        self._closed = False
        self._writer = gevent.spawn(self._write_for_ever)

    def add(self, item: T, size: int) -> R:
        """The item's result, once it is durable. Raises `StoreUnavailable` when it could not be made so."""
        if self._closed:
            raise closed()
        if self._queued_bytes + size > self._most_queued_bytes:
            raise StoreUnavailable("too much is waiting to be written")
        batch = self._open_batch()
        place = len(batch.items)
        batch.items.append(item)
        batch.size += size
        self._queued_bytes += size
        self._filled.set()
        batch.done.wait()
        outcome = batch.outcomes[place]
        if isinstance(outcome, StoreUnavailable):
            raise outcome
        return outcome

    def close(self) -> None:
        """Stop writing; whoever still waits is told so."""
        self._closed = True
        self._writer.kill()
        self._fail_queue(closed())

    def _open_batch(self) -> Batch[T, R]:
        if not self._queue or self._queue[-1].is_full:
            self._queue.append(Batch())
        return self._queue[-1]

    def _write_for_ever(self) -> None:
        crowded = False
        while True:
            self._filled.wait()
            if crowded:
                self._linger()
            batch = self._take()
            crowded = len(batch.items) > 1
            self._settle(batch)

    def _linger(self) -> None:
        """Several came together last time, so more are on their way: wait until the loop has nothing left to do."""
        with suppress(gevent.Timeout), gevent.Timeout(self._linger_seconds):
            gevent.idle()

    def _take(self) -> Batch[T, R]:
        batch = self._queue.popleft()
        self._queued_bytes -= batch.size
        if not self._queue:
            self._filled.clear()
        return batch

    def _settle(self, batch: Batch[T, R]) -> None:
        try:
            batch.settle(self._outcomes(batch.items))
        except StoreUnavailable as error:
            batch.fail(error)
            self._fail_queue(error)
        except gevent.GreenletExit:
            batch.fail(closed())
            raise

    def _outcomes(self, items: Sequence[T]) -> Sequence[R | StoreUnavailable]:
        try:
            return self._write(items)
        except StoreRefused:
            return self._each_alone(items)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one item that cannot be written must not take the others with it
            return self._each_alone(items)

    def _each_alone(self, items: Sequence[T]) -> Sequence[R | StoreUnavailable]:
        return [self._write_alone(item) for item in items]

    def _write_alone(self, item: T) -> R | StoreUnavailable:
        try:
            return self._write([item])[0]
        except StoreRefused as error:
            return error
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - this is the one
            return StoreRefused("this cannot be stored")

    def _fail_queue(self, error: StoreUnavailable) -> None:
        """Those who queue behind a failure would meet it too, only later."""
        while self._queue:
            self._take().fail(error)


def closed() -> StoreUnavailable:
    """Nothing more is taken."""
    return StoreUnavailable("the store is closed")
