"""One transaction that writes: what it does, what its commit promises, and how it is given up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from app.store.engine.executors import timed_out

T = TypeVar("T")
Work = Callable[[Connection], T]
Failpoint = Callable[[str], None]

Channel = Literal["work", "events", "messages"]
CHANNELS: tuple[Channel, ...] = ("work", "events", "messages")


@dataclass(frozen=True)
class Write(Generic[T]):
    """Work for one transaction. It may run in a native thread.

    `durable`: return only when the commit is on disk. Without it the commit survives the death of our processes, but
    until the next durable one neither a power cut nor the death of PostgreSQL: only for what may be done twice.
    `channels`: wake the listeners of these with the commit, and of `found`, a list that the work fills.
    """

    work: Work[T]
    durable: bool = True
    channels: Sequence[Channel] = ()
    found: Sequence[Channel] = ()

    @property
    def woken(self) -> Sequence[Channel]:
        """The channels whose listeners are woken, once the work is done."""
        return (*self.channels, *self.found)


class CommitNotifier(Protocol):
    """Wakes listeners in all processes. Each database needs one of its methods; the other does nothing."""

    def notify_in_transaction(self, connection: Connection, channels: Sequence[Channel]) -> None:
        """Notify the channels when this connection commits."""
        ...

    def notify_after_commit(self, channels: Sequence[Channel]) -> None:
        """Notify the channels of a transaction that is committed."""
        ...


class Transaction(Generic[T]):
    """One execution of a write.

    Its caller may time out, or be killed, while the transaction is still waiting or running in a native thread or a
    greenlet of its own. The caller then abandons it, and it neither begins nor commits any more.
    """

    def __init__(self, write: Write[T], notifier: CommitNotifier, on_failpoint: Failpoint) -> None:
        self.write = write
        self._is_abandoned = False
        self._notifier = notifier
        self._on_failpoint = on_failpoint

    def commit(self, engine: Engine) -> T:
        """Do the work, commit it and return its result. A crash test may kill the process at a failpoint."""
        self._refuse_if_abandoned()
        with engine.begin() as connection:
            result = self.write.work(connection)
            self._notifier.notify_in_transaction(connection, self.write.woken)
            self._on_failpoint("before_commit")
            self._refuse_if_abandoned()
        self._on_failpoint("after_commit")
        return result

    @contextmanager
    def abandoned_if_late(self) -> Iterator[None]:
        """Abandon the transaction if the block, in which its caller waits for it, ends with any exception."""
        try:
            yield
        except BaseException:
            self._is_abandoned = True
            raise

    def _refuse_if_abandoned(self) -> None:
        if self._is_abandoned:
            raise timed_out()
