"""Records the current alerts. The lock on the split job lets only one process at a time compare and record them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from app.domain.alert import Alert, AlertChanges, AlertKey, changes_of
from app.domain.delivery import NewDelivery
from app.domain.event import NewEvent
from app.domain.operator_event import CLOSED, OPENED, operator_event
from app.domain.split import SplitEvent
from app.store.tables.attention_schema import alerts
from app.store.transactions.add_own_events import add_own_events, hold_splitting

_DELETE = delete(alerts).where(alerts.c.code == bindparam("of_code"), alerts.c.subject == bindparam("of_subject"))
_REWORD = (
    update(alerts)
    .where(alerts.c.code == bindparam("of_code"), alerts.c.subject == bindparam("of_subject"))
    .values(cause=bindparam("new_cause"), cure=bindparam("new_cure"))
)


def read_alerts(connection: Connection) -> dict[AlertKey, Alert]:
    """Return the alerts as they were last recorded."""
    rows = connection.execute(select(alerts).order_by(alerts.c.code, alerts.c.subject))
    recorded = [Alert(row.code, row.subject, row.cause, row.cure, row.since) for row in rows]
    return {alert.key: alert for alert in recorded}


def record_alerts(
    connection: Connection, now: datetime, current: Iterable[Alert], destinations: Iterable[str] = ()
) -> AlertChanges:
    """Compare the current alerts with the recorded ones, record the difference, and return it.

    Each of `destinations` gets an event for every alert that is new, and for every one that is over.
    """
    hold_splitting(connection)
    changes = _with_start(changes_of(current, read_alerts(connection)), now)
    if deliveries := tuple(NewDelivery(name) for name in destinations):
        add_own_events(connection, now, [SplitEvent(event, deliveries=deliveries) for event in _events(changes, now)])
    for alert in sorted(changes.closed, key=lambda one: one.key):
        connection.execute(_DELETE, {"of_code": alert.code, "of_subject": alert.subject})
    if changes.opened:
        connection.execute(insert(alerts), [_row(alert) for alert in changes.opened])
    return changes


def reword_alerts(connection: Connection, changed: Iterable[Alert]) -> None:
    """Update the recorded cause and cure of these alerts. An alert that is no longer recorded is not added again."""
    ordered = sorted(changed, key=lambda one: one.key)
    texts = [dict(zip(("new_cause", "new_cure"), alert.recorded_texts, strict=True)) for alert in ordered]
    keys = [{"of_code": alert.code, "of_subject": alert.subject} for alert in ordered]
    connection.execute(_REWORD, [{**key, **text} for key, text in zip(keys, texts, strict=True)])


def _events(changes: AlertChanges, now: datetime) -> list[NewEvent]:
    opened = [operator_event(OPENED, alert, now) for alert in changes.opened]
    return [*opened, *(operator_event(CLOSED, alert, now) for alert in changes.closed)]


def _with_start(changes: AlertChanges, now: datetime) -> AlertChanges:
    """Return the changes with a start for each new alert: now, if the alert does not know its own."""
    return replace(changes, opened=[replace(alert, since=alert.since or now) for alert in changes.opened])


def _row(alert: Alert) -> Mapping[str, object]:
    cause, cure = alert.recorded_texts
    return {**vars(alert), "cause": cause, "cure": cure}
