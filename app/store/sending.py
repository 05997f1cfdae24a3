"""Sending: which messages may leave now, and what is paused."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select

from app.domain.content_scope import MARKETING, PREFIXES
from app.domain.job import Job
from app.domain.message import SEND_QUEUE
from app.domain.meta.graph_errors import ErrorClass
from app.domain.scope_pause import ScopePause
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import Reserved
from app.store.repository import Repository
from app.store.tables.queues import lock_queues
from app.store.tables.schema import queues
from app.store.tables.scopes import lock_scopes, pause_of, put_scope, read_scopes
from app.store.tables.sending_schema import send_scopes
from app.store.transactions.reserve_sends import Reservations, reserve_sends
from app.store.transactions.unreserve_sends import unreserve_sends
from app.store.transactions.wake_held import end_rests, find_released, wake_held

ReservedJobs = Sequence[tuple[Job, Reserved]]

_GENERAL = (
    select(send_scopes).where(send_scopes.c.contact.is_(None), send_scopes.c.trips > 0).order_by(send_scopes.c.name)
)
"""The pauses without a customer: there may be many with one. Older code stores no customer with any pause."""


class Sending(Repository):
    """Reserves messages for their POST, and shows and ends pauses."""

    def reserve(
        self, claimed: Sequence[Job], limits: SendLimits, in_doubt: Callable[[ReservedJobs], None] = lambda _: None
    ) -> Reservations:
        """Mark as being sent the messages of these claimed jobs that may be sent now. On return it is on disk.

        The jobs are of one queue. Those that are not in the result are handed back. If the write raises, its commit
        may be on disk nevertheless: the reservations are then taken back, and none of the messages is sent. If that
        fails too, `in_doubt` gets the reserved jobs, and the caller has to take them back.
        """
        database_id = self._store.identity().id
        made: list[Reservations] = []

        def reserve(connection: Connection) -> Reservations:
            made.append(reserve_sends(connection, self._store.now(connection), claimed, limits, database_id))
            return made[-1]

        try:
            return self._store.write(reserve, *self._store.channels_of_changes)
        except BaseException:  # also if the worker stops, and kills the greenlet
            if made and made[-1].reserved:
                self._take_back(made[-1].reserved, in_doubt)
            raise

    def take_back(self, reserved: ReservedJobs) -> None:
        """Queue reserved messages again whose POST was not begun, whichever worker has their jobs now."""
        self._store.write(lambda c: unreserve_sends(c, self._store.now(c), reserved), "work")

    def _take_back(self, reserved: ReservedJobs, in_doubt: Callable[[ReservedJobs], None]) -> None:
        try:
            self.take_back(reserved)
        except BaseException:
            in_doubt(reserved)
            raise

    def pauses(self) -> list[ScopePause]:
        """Return the scopes that are paused, by name. Marketing that a customer does not want is none of these."""

        def read(connection: Connection) -> list[ScopePause]:
            now = self._store.now(connection)
            pauses = [pause_of(row) for row in connection.execute(_GENERAL) if not row.name.startswith(MARKETING)]
            holding = [pause for pause in pauses if not pause.name.startswith(PREFIXES) or pause.holds(now)]
            return [pause for pause in holding if not pause.as_of(now).is_over]

        return self._store.database.read(read)

    def resume(self, name: str) -> ScopePause | None:
        """End the pause of a scope, or let it go on step by step, and return it; None if the scope is not paused."""

        def resume(connection: Connection) -> ScopePause | None:
            if not read_scopes(connection, [name]):
                return None
            if name.startswith(PREFIXES):
                wake_held(connection, self._store.now(connection), [name])
            else:
                _wake_numbers(connection)
            pause = lock_scopes(connection, [name]).get(name)
            if pause is None or pause.is_over:
                return None
            put_scope(connection, pause.resumed(self._store.now(connection)))
            return pause

        return self._store.write(resume, "work")

    def wake_released(self, *, after: str = "") -> str:
        """Wake some held messages whose scopes are no longer paused, but which no transaction has woken.

        It looks at the scopes behind `after`, and returns the one after which the next look begins. It writes nothing
        if there are no such messages.
        """
        found = self._store.database.read(lambda c: find_released(c, self._store.now(c), after))
        if found.names:
            self._store.write(lambda c: wake_held(c, self._store.now(c), found.names), "work")
        return found.next

    def probe_stopped(self) -> None:
        """Let the next message of each stopped scope be its probe: a human may have put right what stopped it.

        Leave alone a pause that only an operator can end (its probe would be accepted, and fail later), and one that
        ends step by step.
        """

        def probe(connection: Connection) -> None:
            now = self._store.now(connection)
            stopped = ErrorClass.STOPPED.value
            names = [row.name for row in connection.execute(_GENERAL) if row.error_class == stopped]
            if names:
                _wake_numbers(connection)
            for pause in lock_scopes(connection, names).values():
                is_stopped = pause.error_class is ErrorClass.STOPPED and not pause.is_over
                if is_stopped and pause.until is not None and pause.steps is None:
                    put_scope(connection, pause.due_at(now))

        self._store.write(probe, "work")


def _wake_numbers(connection: Connection) -> None:
    """End the rest of each number's queue, so that its messages may be claimed at once."""
    query = select(queues.c.name).where(queues.c.name.startswith(SEND_QUEUE), queues.c.rest_until.is_not(None))
    end_rests(connection, lock_queues(connection, connection.execute(query).scalars().all()))
