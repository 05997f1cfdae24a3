"""Group commit: one transaction writes all items that wait, and each caller waits until its own item is committed.

With 5 ms for an fsync this writes thousands of items a second, where one transaction for each item would write 200.
The items of a batch are taken from the queue inside the transaction, so that the batch includes those that arrived
while it waited for the write lock.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import gevent
from gevent.event import Event
from gevent.hub import Waiter, get_hub

from app.gevent_patch import native
from app.store.engine.errors import StoreError, StoreRefused, StoreUnavailable, refusing_internal_errors

T = TypeVar("T")
R = TypeVar("R")

Drain = Callable[[], Sequence[T]]
"""Return the items to write. Called inside the transaction, possibly in a native thread; idempotent."""

BATCH_ITEMS = 500
BATCH_BYTES = 16 * 1024 * 1024
QUEUED_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 0.030
WOKEN_AT_ONCE = 32
CLOSE_SECONDS = 1.0

native_lock = native("_thread", "allocate_lock")  # gevent's own must not be shared by threads


class PendingWrite(Generic[T, R]):
    """An item to write, its size in bytes, and the greenlet that waits for its outcome."""

    __slots__ = ("item", "outcome", "size", "waiter")

    def __init__(self, item: T, size: int) -> None:
        self.item = item
        self.size = size
        self.outcome: R | StoreError
        self.waiter: Waiter[None] = Waiter()


class Batch(Generic[T, R]):
    """The pending writes of one transaction. They leave the queue when the transaction drains it, never later."""

    def __init__(self, queue: deque[PendingWrite[T, R]]) -> None:
        self._queue = queue
        self._pending: list[PendingWrite[T, R]] = []
        self._is_drained = False
        self._is_closed = False
        self._lock = native_lock()

    def drain(self) -> list[T]:
        """Take from the queue what fits into one transaction, and return the items; the same ones when called again.

        Raise `StoreUnavailable` if the batch is closed: the writer has given up a transaction that runs only now.
        """
        with self._lock:
            if self._is_closed:
                raise StoreUnavailable("no caller waits for this write any more")
            if not self._is_drained:
                self._is_drained = True
                self._fill()
            return [write.item for write in self._pending]

    def close(self) -> list[PendingWrite[T, R]]:
        """Return the writes that were drained, and drain no more."""
        with self._lock:
            self._is_closed = True
            return self._pending

    def _fill(self) -> None:
        size = 0
        while self._queue and len(self._pending) < BATCH_ITEMS and size < BATCH_BYTES:
            write = self._queue.popleft()
            self._pending.append(write)
            size += write.size


class GroupCommit(Generic[T, R]):
    """Collects items from many greenlets and writes them in batches, in the order in which they arrived.

    `write` commits the items that a `Drain` returns, and returns one result for each. It must have a deadline of its
    own, because the callers have none. It runs in one greenlet, a batch at a time.
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
        self._is_closed = False
        self._writer = gevent.spawn(self._write_for_ever)

    def add(self, item: T, size: int) -> R:
        """Wait until the item is committed, and return its result. `size` is in bytes.

        Raise `StoreUnavailable` if it is not committed, or if too much is waiting.
        """
        if self._is_closed:
            raise closed()
        if self._bytes + size > self._max_bytes:
            raise StoreUnavailable("too much is waiting to be written")
        write: PendingWrite[T, R] = PendingWrite(item, size)
        self._bytes += size
        self._queue.append(write)
        self._filled.set()
        write.waiter.get()
        if isinstance(write.outcome, StoreError):
            raise write.outcome
        return write.outcome

    def close(self) -> None:
        """Stop writing. Every greenlet that still waits gets `StoreUnavailable`."""
        self._is_closed = True
        self._writer.kill(timeout=CLOSE_SECONDS)
        self._fail_queue(closed())

    def _write_for_ever(self) -> None:
        is_busy = False
        while not self._is_closed:
            if not self._queue:
                self._filled.clear()
                self._filled.wait()
            if is_busy:
                self._linger()
            is_busy = self._write_batch(Batch(self._queue)) > 1

    def _linger(self) -> None:
        """Let the event loop run until it is idle: the last batch had several items, so more are on their way."""
        with suppress(gevent.Timeout), gevent.Timeout(self._linger_seconds):
            gevent.idle()

    def _write_batch(self, batch: Batch[T, R]) -> int:
        """Write a batch, wake its callers, and return how many they were."""
        try:
            outcomes = self._outcomes(batch)
        except StoreUnavailable as error:
            self._fail(batch.close(), error)
            self._fail_queue(error)
        except gevent.GreenletExit:
            self._fail(batch.close(), closed())
            raise
        else:
            self._finish(batch.close(), outcomes)
        return len(batch.close())

    def _outcomes(self, batch: Batch[T, R]) -> Sequence[R | StoreError]:
        try:
            with refusing_internal_errors():
                return self._write(batch.drain)
        except StoreRefused:  # an item that cannot be written must not fail the others
            return [self._write_alone(item) for item in batch.drain()]

    def _write_alone(self, item: T) -> R | StoreError:
        try:
            with refusing_internal_errors():
                return self._write(lambda: [item])[0]
        except StoreRefused as error:
            return error

    def _fail_queue(self, error: StoreUnavailable) -> None:
        """Fail the writes that wait behind a failed batch: they would most likely fail too, only later."""
        self._fail(self._queue, error)
        self._queue.clear()

    def _fail(self, pending: Collection[PendingWrite[T, R]], error: StoreUnavailable) -> None:
        self._finish(pending, [error] * len(pending))

    def _finish(self, pending: Collection[PendingWrite[T, R]], outcomes: Sequence[R | StoreError]) -> None:
        waiters = []
        for write, outcome in zip(pending, outcomes, strict=True):
            self._bytes -= write.size
            write.outcome = outcome
            waiters.append(write.waiter)
        get_hub().loop.run_callback(_wake, waiters)


def _wake(waiters: "list[Waiter[None]]") -> None:
    """Wake these greenlets from the hub, 32 in one turn of the event loop, so that others run in between.

    One callback wakes them all; an event for each greenlet would be a callback for each.
    """
    for waiter in waiters[:WOKEN_AT_ONCE]:
        waiter.switch(None)
    if len(waiters) > WOKEN_AT_ONCE:
        get_hub().loop.timer(0).start(_wake, waiters[WOKEN_AT_ONCE:])


def closed() -> StoreUnavailable:
    """Return the error for what is asked of a closed store."""
    return StoreUnavailable("the store is closed")
