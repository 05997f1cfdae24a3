"""The alerts that failed messages raise: stored with a message when it fails, and found by an index of their own."""

import json
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from app.domain.failure_sign import FailureSign, alert_subject
from app.domain.message import Message, MessageStatus
from app.store.tables.message_schema import messages
from app.store.tables.types import UtcDateTime

MAX_FAILURES = 100
"""How many messages are counted for each alert."""

IS_UNJUDGED = (
    messages.c.status == bindparam(None, MessageStatus.FAILED.value, literal_execute=True),
    messages.c.alert.is_(None),
)
"""A message failed, and older code has recorded it. So worded that SQLite uses a partial index."""

_NEXT_ALERT = select(func.min(messages.c.alert)).where(messages.c.alert > bindparam("after"))
_FAILED = select(messages.c.updated_at).where(
    messages.c.alert == bindparam("alert"),
    messages.c.updated_at >= bindparam("since", type_=UtcDateTime),
    messages.c.status == MessageStatus.FAILED.value,
)
_FIRST_FAILED = _FAILED.order_by(messages.c.updated_at).limit(MAX_FAILURES + 1)
_LAST_FAILED = _FAILED.with_only_columns(messages.c.progress).order_by(messages.c.updated_at.desc()).limit(1)


def alert_in_row(message: Message) -> str | None:
    """Return the column `alert` of a message: "" if it has failed and raises none, NULL if it has not failed."""
    return (alert_subject(message) or "") if message.status is MessageStatus.FAILED else None


def failure_signs(connection: Connection, since: datetime) -> list[FailureSign]:
    """Return the messages that failed since then and raise an alert, by that alert.

    Each alert is one look-up in an index, also one whose last message failed before.
    """
    found, alert = [], connection.execute(_NEXT_ALERT, {"after": ""}).scalar_one()
    while alert is not None:
        asked = {"alert": alert, "since": since}
        if times := connection.execute(_FIRST_FAILED, asked).scalars().all():
            progress = json.loads(bytes(connection.execute(_LAST_FAILED, asked).scalar_one()))
            counted, has_more = min(len(times), MAX_FAILURES), len(times) > MAX_FAILURES
            found.append(FailureSign(alert, counted, times[0], progress.get("error"), has_more))
        alert = connection.execute(_NEXT_ALERT, {"after": alert}).scalar_one()
    return found
