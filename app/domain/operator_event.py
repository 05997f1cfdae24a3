"""Events about the gateway itself: an alert that began, or is over. Only destinations that ask for them get them."""

import hashlib
from datetime import datetime
from typing import Any

from app.domain.alert import Alert
from app.domain.event import Contact, NewEvent, Origin
from app.domain.timestamps import iso

OPENED, CLOSED = "operator.alert.opened", "operator.alert.closed"
ORIGIN = Origin("wats", {}, None, {}, [], "alert")


def operator_event(type_: str, alert: Alert, at: datetime) -> NewEvent:
    """Return the event of an alert that began or is over. Its id follows from the alert and this time.

    Not from `since`: an alert that comes again may tell the same one, such as that of the oldest event of its kind.
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
    return NewEvent(
        id=f"evt_{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        type=type_,
        occurred_at=at,
        waba_id=None,
        phone_number_id=None,
        contact=Contact(),
        data=data,
        raw=None,
        origin=ORIGIN,
    )
