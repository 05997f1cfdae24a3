"""Lists messages in both directions, newest first. Customers' messages are read from events."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.event import Event
from app.domain.message import Message, MessageStatus
from app.domain.message_hold import MessageHold
from app.messages.schemas import DIRECTIONS, RECEIVED, STATUSES, message_json, received_json
from app.store import MessagePlace, MessageQuery
from app.web.contact_name import contact_name
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.paging import cursor_of, page_request

PLACE = re.compile(r"([1-9][0-9]{0,18})_([1-9][0-9]{0,18})", re.ASCII)
MAX_ROW_ID = 2**63 - 1

WAYS = (
    {
        "in": "query",
        "name": "direction",
        "schema": {"type": "string", "enum": [*DIRECTIONS]},
        "description": "`outbound`: to customers. `inbound`: of customers. Without it: both.",
    },
    {"in": "query", "name": "status", "schema": {"type": "string", "enum": [*STATUSES]}},
)
FILTERS = (
    *WAYS,
    {"in": "query", "name": "contact", "schema": {"type": "string"}, "description": "A phone number or a user id."},
)


def message_page(query: Mapping[str, str], contact: str | None, phone_number_id: str | None = None) -> dict[str, Any]:
    """Return the page of messages that a request's query asks for, with one contact or with all."""
    direction, status = _one_of(query, "direction", DIRECTIONS), _one_of(query, "status", STATUSES)
    requested = page_request(PLACE)
    page = gateway().store.messages.both_ways(
        MessageQuery(
            outbound=direction != "inbound" and status != RECEIVED,
            inbound=direction != "outbound" and status in (None, RECEIVED),
            status=None if status in (None, RECEIVED) else MessageStatus(status),
            contact=None if contact is None else contact_name(contact),
            phone_number_id=phone_number_id,
            before=MessagePlace() if requested.after is None else _place(requested.after),
            limit=requested.limit,
        )
    )
    following = None if page.next is None else cursor_of(f"{page.next.message}_{page.next.event}")
    return {"items": either_as_json(page.items), "nextCursor": following}


def existing_message(message_id: str) -> Message:
    """Return the message to a customer with this id, ours or Meta's. Raises `ApiError` (404)."""
    message = gateway().store.messages.get(message_id)
    if message is None:
        raise no_such("message", message_id)
    return message


def received_message(message_id: str) -> Event | None:
    """Return the message of a customer with this id, its event's or Meta's."""
    store, settings = gateway().store, gateway().settings
    return store.messages.get_inbound(message_id, settings.whatsapp.phone_number_ids)


def either_as_json(messages: Sequence[Message | Event]) -> list[dict[str, Any]]:
    """Return messages of either direction as the schema takes them, with what holds them back."""
    sent = [message for message in messages if isinstance(message, Message)]
    store, settings = gateway().store, gateway().settings
    token = settings.access_token.name if settings.access_token else None
    holds = store.messages.holds(sent, settings.whatsapp.ours.sole_account, token) if sent else {}
    return [
        received_json(one) if isinstance(one, Event) else {**message_json(one), **_held(holds.get(one.id))}
        for one in messages
    ]


def _held(hold: MessageHold | None) -> dict[str, Any]:
    return {} if hold is None else {"held_by": hold}


def _place(cursor: str) -> MessagePlace:
    message, event = (min(int(part), MAX_ROW_ID) for part in cursor.split("_"))
    return MessagePlace(message, event)


def _one_of(query: Mapping[str, str], name: str, values: tuple[str, ...]) -> str | None:
    value = query.get(name)
    if value is not None and value not in values:
        raise ApiError("invalid_parameter", f"{name} must be one of {', '.join(values)}.")
    return value
