"""Events about the gateway itself: an alert that began, or is over. Only destinations that ask for them get them."""

from datetime import datetime
from typing import Any

from app.domain.alert import Alert
from app.domain.event import NewEvent, event_id_of
from app.domain.own_event import origin_in_wats, own_event
from app.domain.timestamps import iso

OPENED, CLOSED = "operator.alert.opened", "operator.alert.closed"
ORIGIN = origin_in_wats("alert")


def operator_event(type_: str, alert: Alert, at: datetime) -> NewEvent:
    """Return the event of an alert that began or is over. Its id follows from the alert and this time.

    `since` has no part in it: an alert that comes again may have the same one.
    """
    data: dict[str, Any] = {
        "code": alert.code,
        "subject": alert.subject,
        "message": alert.message,
        "cause": alert.cause,
        "cure": alert.cure,
        "since": iso(alert.since),
    }
    key = f"{type_}\n{alert.code}\n{alert.subject}\n{at.isoformat()}"
    return own_event(event_id_of(key), type_, at, data, ORIGIN)
