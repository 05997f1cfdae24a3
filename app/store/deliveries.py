"""Deliveries: events on their way to their destinations."""

from collections.abc import Sequence

from app.domain.delivery import Delivery
from app.domain.event import Event
from app.domain.job import Job
from app.store.delivery_rows import load_deliveries, row_id_of, tell_deliveries
from app.store.front import Front


class Deliveries(Front):
    """Events on their way to their destinations."""

    def load(self, jobs: Sequence[Job]) -> dict[int, tuple[Delivery, Event]]:
        """What claimed jobs are about, by the jobs' ids; nothing for what is gone by now."""
        return self._store.database.read(lambda c: load_deliveries(c, self._store.moment(c), jobs))

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id, if there is one."""
        row_id = row_id_of(delivery_id)
        if row_id is None:
            return None
        found = self._store.database.read(lambda c: tell_deliveries(c, self._store.moment(c), [row_id]))
        return found[0] if found else None
