"""Making deliveries, each with the job that brings it on its way."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from app.domain.delivery import NewDelivery
from app.domain.destination import lane_of_destination
from app.store.attempts import column_of
from app.store.delivery_progress import OPEN
from app.store.ordering import NewJob, put_in_line
from app.store.schema import deliveries

_INSERT = insert(deliveries).returning(deliveries.c.id, deliveries.c.destination, deliveries.c.order_key)


def put_deliveries(connection: Connection, now: datetime, wanted: Iterable[tuple[int, Sequence[NewDelivery]]]) -> int:
    """Make these deliveries of events, which are named by their sequences; how many."""
    untried = {"state": OPEN, "updated_at": now, "attempts": column_of(())}
    rows = [
        {"event": sequence, "destination": new.destination, "order_key": new.order_key, **untried}
        for sequence, news in wanted
        for new in news
    ]
    if rows:
        made = sorted(connection.execute(_INSERT, rows), key=lambda row: row.id)
        put_in_line(
            connection, now, [NewJob(lane_of_destination(row.destination), row.id, row.order_key) for row in made]
        )
    return len(rows)
