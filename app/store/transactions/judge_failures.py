"""Stores the alerts of messages that older code has let fail: it knew no column for them, or left it NULL."""

from sqlalchemy import Connection, select

from app.store.engine.bulk_update import BulkUpdate
from app.store.engine.one_of import one_of
from app.store.tables.message_alerts import IS_UNJUDGED, alert_in_row
from app.store.tables.message_schema import messages
from app.store.tables.messages import message_of, messages_without_bodies

FAILURES_AT_ONCE = 500

_NEWEST = select(messages.c.id).where(*IS_UNJUDGED).order_by(messages.c.id.desc()).limit(FAILURES_AT_ONCE)
"""The newest come first, because an alert is about the last day."""

_LOCK = (
    messages_without_bodies()
    .where(one_of(messages.c.id, "ids"), *IS_UNJUDGED)
    .order_by(messages.c.id)
    .with_for_update()
)
_PUT = BulkUpdate(messages, "alert")


def plan_failures(connection: Connection) -> list[int]:
    """Return the rows of some messages that have failed and are not judged."""
    return list(connection.execute(_NEWEST).scalars())


def judge_failures(connection: Connection, row_ids: list[int]) -> None:
    """Store the alerts of those of these messages that are still not judged."""
    rows = connection.execute(_LOCK, {"ids": row_ids})
    _PUT.execute(connection, [(message.row_id, alert_in_row(message)) for message in map(message_of, rows)])
