"""A turn to write: what shares a transaction, and what becomes of each of its items."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gevent import monkey
from gevent.hub import Waiter

from app.store.errors import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

Take = Callable[[], Sequence[T]]
"""Says what a transaction is to write. It is asked inside of it; asked again, it says the same."""

BATCH_ITEMS = 500
BATCH_BYTES = 16 * 1024 * 1024

native_lock = monkey.get_original("_thread", "allocate_lock")


class Ticket(Generic[T, R]):
    """An item that waits to be written, and who waits for what becomes of it."""

    __slots__ = ("item", "outcome", "size", "waiter")

    def __init__(self, item: T, size: int) -> None:
        self.item = item
        self.size = size
        self.outcome: R | StoreUnavailable
        self.waiter: Waiter[None] = Waiter()


class Turn(Generic[T, R]):
    """One turn to write: the tickets it took. It takes them inside its transaction, in a native thread perhaps, and
    takes none any more once its time is over."""

    def __init__(self, queue: deque[Ticket[T, R]]) -> None:
        self._queue = queue
        self._tickets: list[Ticket[T, R]] = []
        self._has_taken = False
        self._is_over = False
        self._lock = native_lock()

    def take(self) -> list[T]:
        """The items of this turn: all that have gathered, as far as they may share a transaction."""
        with self._lock:
            if self._is_over:
                raise StoreUnavailable("nobody waits for this any more")
            if not self._has_taken:
                self._has_taken = True
                self._fill()
            return [ticket.item for ticket in self._tickets]

    def end(self) -> list[Ticket[T, R]]:
        """The tickets it took; it takes no more."""
        with self._lock:
            self._is_over = True
            return self._tickets

    def _fill(self) -> None:
        size = 0
        while self._queue and len(self._tickets) < BATCH_ITEMS and size < BATCH_BYTES:
            ticket = self._queue.popleft()
            self._tickets.append(ticket)
            size += ticket.size
