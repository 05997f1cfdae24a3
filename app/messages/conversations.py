"""The API of conversations: which customers have written to which numbers, and when their windows close."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma
from flask import request

from app.domain.window import Window
from app.messages.lists import WAYS, message_page
from app.messages.schemas import MessageSchema
from app.store import Conversation
from app.web.contact_name import USER_OR_GROUP, contact_name
from app.web.current import gateway
from app.web.errors import ApiError
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.paging import PAGE_PARAMETERS, cursor_of, page_request
from app.web.query_parameters import accepts_query
from app.web.schemas import CamelSchema, Timestamp, page_of

bp = JsonBlueprint("conversations", __name__, description="Numbers and customers that have written to each other.")

MAX_CONTACT = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR = re.compile(r"[1-9][0-9]{0,17}_[0-9]{1,19}_[!-~]{1,64}", re.ASCII)
NUMBER = {"in": "query", "name": "phoneNumberId", "schema": {"type": "string"}, "description": "One of our numbers."}


class ConversationSchema(CamelSchema):
    """A number of ours and a customer, and when each side wrote last; the customer by Meta's clock."""

    phone_number_id = ma.fields.String(required=True)
    wa_id = ma.fields.String(required=True, allow_none=True)
    user_id = ma.fields.String(required=True, allow_none=True)
    last_inbound_at = Timestamp(required=True, allow_none=True)
    last_outbound_at = Timestamp(required=True, allow_none=True)
    updated_at = Timestamp(required=True)


class WindowSchema(CamelSchema):
    """The customer service window. It is closed for a customer without a known message."""

    open = ma.fields.Boolean(required=True)
    last_inbound_at = Timestamp(required=True, allow_none=True)
    expires_at = Timestamp(required=True, allow_none=True)
    remaining_seconds = ma.fields.Integer(required=True)


@bp.get("/conversations")
@guarded_by(bearer("read"))
@accepts_query(bp, *PAGE_PARAMETERS)
@bp.response(200, page_of(ConversationSchema))
def list_conversations() -> dict[str, Any]:
    """List conversations, the one with the latest message first."""
    requested = page_request(CURSOR)
    before = None if requested.after is None else _position(requested.after)
    found = gateway().store.conversations.page(before=before, limit=requested.limit)
    last = found[-1] if len(found) == requested.limit else None
    return {"items": found, "nextCursor": None if last is None else _cursor(last)}


@bp.get("/conversations/<path:contact>/messages")
@guarded_by(bearer("read"))
@accepts_query(bp, NUMBER, *WAYS, *PAGE_PARAMETERS)
@bp.response(200, page_of(MessageSchema))
def list_conversation_messages(contact: str) -> dict[str, Any]:
    """List the messages to and from one customer, newest first: with a number of ours, or with all of them."""
    number = request.args.get("phoneNumberId")
    return message_page(request.args, contact, None if number is None else _ours(number))


@bp.get("/conversations/<path:contact>/window")
@guarded_by(bearer("read"))
@accepts_query(bp, NUMBER)
@bp.response(200, WindowSchema)
def show_window(contact: str) -> dict[str, Any]:
    """Show until when a customer may be sent any message: a phone number, a user id, or a group's id."""
    number = _ours(request.args.get("phoneNumberId", gateway().settings.whatsapp.phone_number_ids[0]))
    [last] = gateway().store.conversations.last_inbound([(number, (contact_name(contact, USER_OR_GROUP),))])
    window, now = Window(last), gateway().clock()
    return {
        "open": window.is_open(now),
        "last_inbound_at": last,
        "expires_at": window.expires_at,
        "remaining_seconds": int(window.remaining(now).total_seconds()),
    }


def _ours(number: str) -> str:
    if number not in gateway().settings.whatsapp.phone_number_ids:
        raise ApiError("invalid_parameter", "phoneNumberId must be one of the profile's numbers.")
    return number


def _cursor(last: Conversation) -> str:
    microseconds = (last.updated_at - EPOCH) // timedelta(microseconds=1)
    return cursor_of(f"{microseconds}_{last.contact}_{last.phone_number_id}")


def _position(cursor: str) -> tuple[datetime, int, str]:
    """Return the place in the list that a cursor names: a time, a contact's number, and a number of ours."""
    microseconds, contact, number = cursor.split("_", 2)
    try:
        return EPOCH + timedelta(microseconds=int(microseconds)), min(int(contact), MAX_CONTACT), number
    except OverflowError as error:
        raise ApiError("invalid_cursor", "The cursor is not one of ours.") from error
