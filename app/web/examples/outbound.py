"""Examples of the events of a message's own life, made as the gateway makes them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.event import Event
from app.domain.message import HistoryEntry, Message, MessageStatus
from app.domain.outbound_event import STATUSES, changes_of, event_of_change
from app.web.examples.changes import PHONE

SENT_AT = datetime(2025, 11, 24, 16, 0, 2, tzinfo=UTC)
ERROR = {
    "code": 131026,
    "title": "Message undeliverable",
    "error_data": {"details": "Message Undeliverable."},
    "class": "recipient",
    "hint": "the customer has no WhatsApp, an old version, or has not accepted its terms",
}
KNOWN_TO_META = (MessageStatus.ACCEPTED, MessageStatus.FAILED)
MESSAGE = Message(
    id="msg_019ab9b6c5d07a4f3c2e1d0b9a88f701",
    row_id=1,
    phone_number_id="9876543210",
    contact=1,
    endpoint="messages",
    status=MessageStatus.QUEUED,
    type="text",
    to=f"+{PHONE}",
    recipient=None,
    wamid=None,
    resends=0,
    tracker="order 7",
    created_at=SENT_AT,
    updated_at=SENT_AT,
    expires_at=SENT_AT + timedelta(days=1),
    history=(),
)


def outbound_events(first_sequence: int) -> Iterator[Event]:
    """Yield one event of each type, with sequences from this one on."""
    for sequence, status in enumerate(STATUSES, first_sequence):
        message = MESSAGE._replace(
            status=status,
            history=(HistoryEntry(status, SENT_AT),),
            wamid="wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3" if status in KNOWN_TO_META else None,
            error=ERROR if status is MessageStatus.FAILED else None,
        )
        [change] = changes_of((), message, frozenset(STATUSES))
        new = replace(event_of_change(change), waba_id="1234567890")
        yield Event(**vars(new), sequence=sequence, received_at=SENT_AT, receipt_id=None, foreign=False)
