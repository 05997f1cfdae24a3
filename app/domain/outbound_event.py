"""Events of a message's own life: `outbound.sending`, `outbound.failed` and so on, for those that ask for them.

What Meta reports about a message is an event anyway (`message.status.…`). These are what the gateway does with one,
and how it ends, however that became known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.event import Contact, NewEvent, event_id_of, type_matches
from app.domain.message import HistoryEntry, Message, MessageStatus
from app.domain.own_event import origin_in_wats, own_event
from app.domain.trace import TraceContext

PREFIX = "outbound."
STATUSES = (
    MessageStatus.SENDING,
    MessageStatus.ACCEPTED,
    MessageStatus.UNKNOWN,
    MessageStatus.FAILED,
    MessageStatus.EXPIRED,
    MessageStatus.CANCELLED,
)
"""Those that have an event. `queued` is the answer to the client; the others come as `message.status.…`."""

ORIGIN = origin_in_wats("message")
_PHONE = re.compile(r"\+?([0-9]{5,15})", re.ASCII)


@dataclass(frozen=True)
class MessageChange:
    """A change of a message that becomes an event. `data` is the event's; `event_id` is the same for all time.

    `trace`: the span of the request that brought the message.
    """

    event_id: str
    status: MessageStatus
    at: datetime
    phone_number_id: str
    data: dict[str, Any]
    trace: TraceContext | None = None


def asked_for(globs: Iterable[str]) -> frozenset[MessageStatus]:
    """Return the statuses whose events one of the globs selects."""
    chosen = tuple(globs)
    return frozenset(status for status in STATUSES if type_matches(PREFIX + status.value, chosen))


def changes_of(
    before: Iterable[HistoryEntry], message: Message, recorded: frozenset[MessageStatus]
) -> list[MessageChange]:
    """Return the changes of a message that had this history before, of the statuses that are recorded.

    A failure that is reported after the delivery does not make the message a failed one, and is none here.
    """
    known = {(entry.status, entry.at) for entry in before}
    fresh = [entry for entry in message.history if (entry.status, entry.at) not in known]
    return [
        _change(message, MessageStatus(entry.status), entry.at)
        for entry in fresh
        if entry.status in recorded and not (entry.status == MessageStatus.FAILED != message.status)
    ]


def event_of_change(change: MessageChange) -> NewEvent:
    """Return the event of a change. Its customer has one name: where a client gave two, Meta has taken `to`."""
    to, recipient = change.data.get("to"), change.data.get("recipient")
    phone = _PHONE.fullmatch(to) if to is not None else None
    return own_event(
        change.event_id,
        PREFIX + change.status.value,
        change.at,
        change.data,
        ORIGIN,
        phone_number_id=change.phone_number_id,
        contact=Contact(wa_id=None if phone is None else phone[1], user_id=recipient if to is None else None),
        trace=change.trace,
    )


def _change(message: Message, status: MessageStatus, at: datetime) -> MessageChange:
    key = f"outbound {message.id} {status.value} {at.isoformat()}"
    error = message.error if status is MessageStatus.FAILED else None
    optional = {
        "to": message.to,
        "recipient": message.recipient,
        "wamid": message.wamid,
        "tracker": message.tracker,
        "resends": message.resends or None,
        "error": error,
    }
    known = {name: value for name, value in optional.items() if value is not None}
    return MessageChange(
        event_id=event_id_of(key),
        status=status,
        at=at,
        phone_number_id=message.phone_number_id,
        data={"messageId": message.id, "status": status.value, "type": message.type, **known},
    )
