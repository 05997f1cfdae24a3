"""Deliveries: events on their way to destinations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from app.domain.delivery import Delivery, DeliveryCounts, DeliveryState, NewDelivery
from app.domain.dismissal import DismissStep
from app.domain.event import Event
from app.domain.job import Job
from app.domain.queue import QueueDepth
from app.domain.replay import ReplayStep, Selection
from app.store.repository import Repository
from app.store.tables.deliveries import load_deliveries, read_deliveries, row_id_of
from app.store.tables.delivery_list import DeliveryFilter, count_deliveries, page_of_deliveries
from app.store.tables.schema import deliveries
from app.store.tables.types import MAX_ROW_ID
from app.store.transactions.dismiss import discard_deliveries
from app.store.transactions.replay_deliveries import ReplayRequest, replay_deliveries
from app.store.transactions.select_replay import ReplayCandidates, find_candidates, stored_states

DeliveriesOf = Callable[[Event], tuple[NewDelivery, ...] | None]
"""Return the deliveries that an event gets; None while its phone number is foreign."""


class Deliveries(Repository):
    """Events on their way to destinations."""

    def load(self, jobs: Sequence[Job], *, max_bytes: int = MAX_ROW_ID) -> dict[int, tuple[Delivery, Event] | None]:
        """Return the deliveries of claimed jobs with their events, by the ids of the jobs, without deleted ones.

        None stands for an event of more than `max_bytes`.
        """
        return self._store.database.read(lambda c: load_deliveries(c, jobs, max_bytes))

    def get(self, delivery_id: str) -> Delivery | None:
        """Return the delivery with this id."""
        row_id = row_id_of(delivery_id)
        return None if row_id is None else self._store.database.read(lambda c: self._read(c, row_id))

    def page(
        self,
        *,
        state: DeliveryState | None = None,
        destination: str | None = None,
        event: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None = None,
        limit: int,
    ) -> list[Delivery]:
        """Return deliveries from the newest to the oldest, all of them older than the delivery `before`.

        `since`, `until`: of events received in this range, `until` excluded.
        """
        row_id = MAX_ROW_ID if before is None else row_id_of(before) or 0
        chosen = DeliveryFilter(state, destination, event, since, until, before=row_id, limit=limit)
        return self._store.database.read(lambda c: page_of_deliveries(c, self._store.now(c), chosen))

    def has_any(self, destination: str) -> bool:
        """Return whether there is a delivery to a destination of this name."""
        query = select(deliveries.c.id).where(deliveries.c.destination == destination).limit(1)
        return self._store.database.read(lambda c: c.execute(query).first()) is not None

    def counts(self, depths: Iterable[QueueDepth] | None = None) -> dict[str, DeliveryCounts]:
        """Count waiting and dead deliveries of each destination that has any.

        `depths`: of the queues, where the caller has them: of a long queue they take a while to count.
        """
        return self._store.database.read(lambda c: count_deliveries(c, self._store.now(c), depths))

    def replay(self, delivery_id: str) -> Delivery | None:
        """Replay one delivery and return it; None if there is none with this id.

        One that has ended starts again; one that waits for its next attempt is due now; one in flight stays as it is.
        """
        row_id = row_id_of(delivery_id)
        if row_id is None:
            return None

        def replay(connection: Connection) -> Delivery | None:
            replay_deliveries(connection, self._store.now(connection), ReplayRequest([row_id]))
            return self._read(connection, row_id)

        return self._store.write(replay, "work")

    def replay_some(self, selection: Selection, *, after: int, limit: int, deliveries_of: DeliveriesOf) -> ReplayStep:
        """Replay what the selection chooses among the next events after a sequence, `limit` of them at most.

        Events that are no longer foreign get their deliveries; others those that are missing, if it asks for these.
        The events are read first; what is to be changed is changed in one short transaction, which checks it again.
        """
        candidates = self._candidates(selection, after, limit)
        newly_owned = _newly_owned(candidates, deliveries_of)
        missing = _missing(candidates, selection, deliveries_of)
        request = ReplayRequest(candidates.deliveries, stored_states(selection.state), newly_owned, missing)
        replayed = self._replay(request) if newly_owned or missing or candidates.deliveries else 0
        return ReplayStep(replayed, candidates.seen, candidates.next)

    def count_to_replay(
        self, selection: Selection, *, after: int, limit: int, deliveries_of: DeliveriesOf
    ) -> ReplayStep:
        """Return the result that `replay_some` would have, and change nothing."""
        candidates = self._candidates(selection, after, limit)
        new = (_newly_owned(candidates, deliveries_of), _missing(candidates, selection, deliveries_of))
        added = sum(len(each) for by_sequence in new for each in by_sequence.values())
        return ReplayStep(len(candidates.deliveries) + added, candidates.seen, candidates.next)

    def discard(self, delivery_id: str) -> Delivery | None:
        """Discard a dead letter, and return it; None if it does not exist. Any other delivery stays as it is."""
        row_id = row_id_of(delivery_id)
        if row_id is None:
            return None

        def discard(connection: Connection) -> Delivery | None:
            discard_deliveries(connection, self._store.now(connection), [row_id])
            return self._read(connection, row_id)

        return self._store.write(discard)

    def discard_some(self, selection: Selection, *, after: int, limit: int, is_trial: bool) -> DismissStep:
        """Discard what the selection chooses of the dead letters of the next events, `limit` of these at most.

        A trial only counts them.
        """
        found = self._candidates(replace(selection, state=DeliveryState.DEAD), after, limit)
        count = len(found.deliveries)
        if count and not is_trial:
            count = self._store.write(lambda c: discard_deliveries(c, self._store.now(c), found.deliveries))
        return DismissStep(count, found.next)

    def _candidates(self, selection: Selection, after: int, limit: int) -> ReplayCandidates:
        return self._store.database.read(lambda c: find_candidates(c, self._store.now(c), selection, after, limit))

    def _replay(self, request: ReplayRequest) -> int:
        return self._store.write(lambda c: replay_deliveries(c, self._store.now(c), request), "work")

    def _read(self, connection: Connection, row_id: int) -> Delivery | None:
        return next(iter(read_deliveries(connection, self._store.now(connection), [row_id])), None)


def _newly_owned(candidates: ReplayCandidates, deliveries_of: DeliveriesOf) -> dict[int, tuple[NewDelivery, ...]]:
    """Return the deliveries that events get now, which were foreign when they came, by the events' sequences."""
    by_sequence = {event.sequence: deliveries_of(event) for event in candidates.foreign}
    return {sequence: new for sequence, new in by_sequence.items() if new is not None}


def _missing(
    candidates: ReplayCandidates, selection: Selection, deliveries_of: DeliveriesOf
) -> dict[int, tuple[NewDelivery, ...]]:
    """Return the deliveries that events would get to the destination of the selection now, and have not."""
    by_sequence = {
        event.sequence: tuple(new for new in deliveries_of(event) or () if new.destination == selection.destination)
        for event in candidates.without
    }
    return {sequence: new for sequence, new in by_sequence.items() if new}
