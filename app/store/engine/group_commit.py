"""Group commit: what has gathered is written in one transaction, and each caller waits for its own commit.

With 5 ms for an fsync this takes thousands of items a second where a transaction for each would drain 200. What shares
a transaction is decided as late as can be, once the database gives it its batch: the longer others keep it waiting,
the more is done at once.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import gevent
from gevent import monkey
from gevent.event import Event
from gevent.hub import Waiter, get_hub

from app.store.engine.errors import StoreRefused, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

Drain = Callable[[], Sequence[T]]
"""Says what a transaction is to write. It is asked inside of it; asked again, it says the same."""

BATCH_ITEMS = 500
BATCH_BYTES = 16 * 1024 * 1024
QUEUED_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 0.030
WOKEN_AT_ONCE = 32

native_lock = monkey.get_original("_thread", "allocate_lock")


class PendingWrite(Generic[T, R]):
    """An item that waits to be written, and who waits for what becomes of it."""

    __slots__ = ("item", "outcome", "size", "waiter")

    def __init__(self, item: T, size: int) -> None:
        self.item = item
        self.size = size
        self.outcome: R | StoreUnavailable
        self.waiter: Waiter[None] = Waiter()


class Batch(Generic[T, R]):
    """One batch to write: the pending it took. It takes them inside its transaction, in a native thread perhaps, and
    takes none any more once its time is over."""

    def __init__(self, queue: deque[PendingWrite[T, R]]) -> None:
        self._queue = queue
        self._pending: list[PendingWrite[T, R]] = []
        self._is_drained = False
        self._is_over = False
        self._lock = native_lock()

    def drain(self) -> list[T]:
        """The items of this batch: all that have gathered, as far as they may share a transaction."""
        with self._lock:
            if self._is_over:
                raise StoreUnavailable("nobody waits for this any more")
            if not self._is_drained:
                self._is_drained = True
                self._fill()
            return [write.item for write in self._pending]

    def end(self) -> list[PendingWrite[T, R]]:
        """The pending it took; it takes no more."""
        with self._lock:
            self._is_over = True
            return self._pending

    def _fill(self) -> None:
        size = 0
        while self._queue and len(self._pending) < BATCH_ITEMS and size < BATCH_BYTES:
            write = self._queue.popleft()
            self._pending.append(write)
            size += write.size


class GroupCommit(Generic[T, R]):
    """Gathers items of greenlets and writes them together, in the order they came.

    `write` returns within a time of its own, whatever the database does, so that nobody waits for ever.
    """

    def __init__(
        self,
        write: Callable[[Drain[T]], Sequence[R]],
        *,
        linger_seconds: float = LINGER_SECONDS,
        queued_bytes: int = QUEUED_BYTES,
    ) -> None:
        self._write = write
        self._linger_seconds = linger_seconds
        self._max_bytes = queued_bytes
        self._queue: deque[PendingWrite[T, R]] = deque()
        self._bytes = 0
        self._filled = Event()
        self._closed = False
        self._writer = gevent.spawn(self._write_for_ever)

    def add(self, item: T, size: int) -> R:
        """The item's result, once it is durable. Raises `StoreUnavailable` when it could not be made so."""
        if self._closed:
            raise closed()
        if self._bytes + size > self._max_bytes:
            raise StoreUnavailable("too much is waiting to be written")
        write: PendingWrite[T, R] = PendingWrite(item, size)
        self._bytes += size
        self._queue.append(write)
        self._filled.set()
        write.waiter.get()
        if isinstance(write.outcome, StoreUnavailable):
            raise write.outcome
        return write.outcome

    def close(self) -> None:
        """Stop writing; whoever still waits is told so."""
        self._closed = True
        self._writer.kill()
        self._fail_queue(closed())

    def _write_for_ever(self) -> None:
        crowded = False
        while True:
            if not self._queue:
                self._filled.clear()
                self._filled.wait()
            if crowded:
                self._linger()
            crowded = self._serve(Batch(self._queue)) > 1

    def _linger(self) -> None:
        """Several came together last time, so more are on their way: wait until the loop has nothing left to do."""
        with suppress(gevent.Timeout), gevent.Timeout(self._linger_seconds):
            gevent.idle()

    def _serve(self, batch: Batch[T, R]) -> int:
        """Write and tell what became of it; how many shared this batch."""
        try:
            outcomes = self._outcomes(batch)
        except StoreUnavailable as error:
            self._fail(batch.end(), error)
            self._fail_queue(error)
        except gevent.GreenletExit:
            self._fail(batch.end(), closed())
            raise
        else:
            self._settle(batch.end(), outcomes)
        return len(batch.end())

    def _outcomes(self, batch: Batch[T, R]) -> Sequence[R | StoreUnavailable]:
        try:
            return self._write(batch.drain)
        except StoreRefused:
            return self._each_alone(batch.drain())
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one item that cannot be written must not drain the others with it
            return self._each_alone(batch.drain())

    def _each_alone(self, items: Sequence[T]) -> Sequence[R | StoreUnavailable]:
        return [self._write_alone(item) for item in items]

    def _write_alone(self, item: T) -> R | StoreUnavailable:
        try:
            return self._write(lambda: [item])[0]
        except StoreRefused as error:
            return error
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - this is the one
            return StoreRefused("this cannot be stored")

    def _fail_queue(self, error: StoreUnavailable) -> None:
        """Those who queue behind a failure would meet it too, only later."""
        self._fail(self._queue, error)
        self._queue.clear()

    def _fail(self, pending: Collection[PendingWrite[T, R]], error: StoreUnavailable) -> None:
        self._settle(pending, [error] * len(pending))

    def _settle(self, pending: Collection[PendingWrite[T, R]], outcomes: Sequence[R | StoreUnavailable]) -> None:
        waiters = []
        for write, outcome in zip(pending, outcomes, strict=True):
            self._bytes -= write.size
            write.outcome = outcome
            waiters.append(write.waiter)
        get_hub().loop.run_callback(_wake, waiters)


def _wake(waiters: "list[Waiter[None]]") -> None:
    """Runs in the hub, for some of them at a time, with a batch of the loop for others in between: an event for each
    would be a callback for each."""
    for waiter in waiters[:WOKEN_AT_ONCE]:
        waiter.switch(None)
    if len(waiters) > WOKEN_AT_ONCE:
        get_hub().loop.timer(0).start(_wake, waiters[WOKEN_AT_ONCE:])


def closed() -> StoreUnavailable:
    """Nothing more is taken."""
    return StoreUnavailable("the store is closed")
