"""Deliveries: events on their way to their destinations."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from app.domain.delivery import Delivery, DeliveryCounts, DeliveryState, NewDelivery
from app.domain.event import Event
from app.domain.job import Job
from app.domain.replay import ReplayStep, Selection
from app.store.repository import Repository
from app.store.tables.deliveries import load_deliveries, read_deliveries, row_id_of
from app.store.tables.delivery_list import DeliveryFilter, count_deliveries, page_of_deliveries
from app.store.tables.receipts import BIGGEST_ID
from app.store.transactions.replay_deliveries import ReplayRequest, replay_deliveries
from app.store.transactions.select_replay import find_next, stored_states

DeliveriesOf = Callable[[Event], tuple[NewDelivery, ...] | None]
"""The deliveries that an event gets; None: its number is foreign."""


class Deliveries(Repository):
    """Events on their way to their destinations."""

    def load(self, jobs: Sequence[Job]) -> dict[int, tuple[Delivery, Event]]:
        """What claimed jobs are about, by the jobs' ids; nothing for what is gone by now."""
        return self._store.database.read(lambda c: load_deliveries(c, self._store.now(c), jobs))

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id, if there is one."""
        row_id = row_id_of(delivery_id)
        return None if row_id is None else self._store.database.read(lambda c: self._tell(c, row_id))

    def page(
        self,
        *,
        state: DeliveryState | None = None,
        destination: str | None = None,
        event: str | None = None,
        before: str | None = None,
        limit: int,
    ) -> list[Delivery]:
        """Deliveries from the newest to the oldest; those older than the delivery `before`."""
        row_id = BIGGEST_ID if before is None else row_id_of(before) or 0
        asked = DeliveryFilter(state, destination, event, row_id, limit)
        return self._store.database.read(lambda c: page_of_deliveries(c, self._store.now(c), asked))

    def counts(self) -> dict[str, DeliveryCounts]:
        """How many stand where, by destination; nothing for one that has none."""
        return self._store.database.read(lambda c: count_deliveries(c, self._store.now(c)))

    def replay(self, delivery_id: str) -> Delivery | None:
        """Bring one on its way again, and tell of it; None if there is none with this id.

        What has ended begins anew; what waits to be tried again is due now; what is on its way stays as it is.
        """
        row_id = row_id_of(delivery_id)
        if row_id is None:
            return None

        def replay(connection: Connection) -> Delivery | None:
            replay_deliveries(connection, self._store.now(connection), ReplayRequest([row_id]))
            return self._tell(connection, row_id)

        return self._store.write(replay, "work")

    def replay_some(self, selection: Selection, *, after: int, limit: int, deliveries_of: DeliveriesOf) -> ReplayStep:
        """One step of many: what the selection has among the next few events after a sequence.

        It reads, and then changes what it found in one short transaction.
        """
        found = self._store.database.read(lambda c: find_next(c, selection, after, limit))
        made = {event.sequence: deliveries_of(event) for event in found.foreign}
        newly_owned = {sequence: news for sequence, news in made.items() if news is not None}
        wanted = ReplayRequest(found.deliveries, stored_states(selection.state), newly_owned)
        replayed = self._replay(wanted) if newly_owned or found.deliveries else 0
        return ReplayStep(replayed, found.seen, found.next)

    def _replay(self, wanted: ReplayRequest) -> int:
        return self._store.write(lambda c: replay_deliveries(c, self._store.now(c), wanted), "work")

    def _tell(self, connection: Connection, row_id: int) -> Delivery | None:
        return next(iter(read_deliveries(connection, self._store.now(connection), [row_id])), None)
