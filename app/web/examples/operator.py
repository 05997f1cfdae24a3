"""Examples of the events about the gateway itself, made as the gateway makes them."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.alert import Alert
from app.domain.event import Event
from app.domain.operator_event import CLOSED, OPENED, operator_event

SINCE, OVER_AT = datetime(2025, 11, 24, 16, 0, 3, tzinfo=UTC), datetime(2025, 11, 24, 17, 0, 3, tzinfo=UTC)
ALERT = Alert(
    "refusing",
    "crm",
    "crm answered HTTP 404 to the last 12 events, 40 deliveries waiting",
    "check its URL, its secret and what it accepts",
    SINCE,
)


def operator_events(first_sequence: int) -> Iterator[Event]:
    """Yield one event of each type, with sequences from this one on."""
    for sequence, (type_, at) in enumerate(((OPENED, SINCE), (CLOSED, OVER_AT)), first_sequence):
        new = operator_event(type_, ALERT, at)
        yield Event(**vars(new), sequence=sequence, received_at=at, receipt_id=None, foreign=False)
