"""Records which alerts stand. The lock on the split job makes the comparison one for all processes and machines."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from app.domain.alert import Alert, AlertChanges, AlertKey, changes_of
from app.domain.job import SPLIT_QUEUE
from app.store.tables.attention_schema import alerts
from app.store.tables.schema import jobs

_LOCK = select(jobs).where(jobs.c.queue == SPLIT_QUEUE).order_by(jobs.c.id).with_for_update()
_DELETE = delete(alerts).where(alerts.c.code == bindparam("of_code"), alerts.c.subject == bindparam("of_subject"))
MAX_LENGTH = 500


def read_alerts(connection: Connection) -> dict[AlertKey, Alert]:
    """Return the alerts that stood when they were recorded last."""
    rows = connection.execute(select(alerts).order_by(alerts.c.code, alerts.c.subject))
    recorded = [Alert(row.code, row.subject, row.cause, row.cure, row.since) for row in rows]
    return {alert.key: alert for alert in recorded}


def record_alerts(connection: Connection, now: datetime, standing: Iterable[Alert]) -> AlertChanges:
    """Compare these alerts with those that are recorded, record them, and return what has changed."""
    connection.execute(_LOCK).all()
    changes = _since(changes_of(standing, read_alerts(connection)), now)
    for alert in sorted(changes.closed, key=lambda one: one.key):
        connection.execute(_DELETE, {"of_code": alert.code, "of_subject": alert.subject})
    if changes.opened:
        connection.execute(insert(alerts), [_row(alert) for alert in changes.opened])
    return changes


def _since(changes: AlertChanges, now: datetime) -> AlertChanges:
    return replace(changes, opened=[replace(alert, since=alert.since or now) for alert in changes.opened])


def _row(alert: Alert) -> Mapping[str, object]:
    return {**vars(alert), "cause": _text(alert.cause), "cure": _text(alert.cure)}


def _text(text: str) -> str:
    """Return the text as one line. PostgreSQL refuses NUL and half a surrogate pair."""
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_LENGTH])
