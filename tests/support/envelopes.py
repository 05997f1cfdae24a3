"""Builders of Meta's envelopes, with defaults, so that a test shows only what matters."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from app.domain.event import NewEvent
from app.domain.meta.parse import split

PHONE, USER_ID = "4915112345678", "DE.13491208655302741918"
NUMBER, WABA = "9876543210", "1234567890"
METADATA = {"display_phone_number": "15550001111", "phone_number_id": NUMBER}
SENT = 1764000000
RECEIVED_AT = datetime(2025, 11, 24, 16, 0, 5, tzinfo=UTC)


def inbound_text(body: str = "hi", *, wamid: str = "wamid.1", sender: str = PHONE, **more: Any) -> dict[str, Any]:
    """Return a customer's text message."""
    return {
        "from": sender,
        "id": wamid,
        "timestamp": str(SENT),
        "type": "text",
        "text": {"body": body},
        **more,
    }


def status(state: str = "delivered", *, wamid: str = "wamid.1", **more: Any) -> dict[str, Any]:
    """Return the status of a message from the business."""
    return {"id": wamid, "status": state, "timestamp": str(SENT), "recipient_id": PHONE, **more}


def contact(
    wa_id: str | None = PHONE, user_id: str | None = None, name: str = "Ada", **profile: Any
) -> dict[str, Any]:
    """Return an entry of Meta's `contacts`."""
    ids = {"wa_id": wa_id, "user_id": user_id}
    return {"profile": {"name": name, **profile}, **{key: value for key, value in ids.items() if value}}


def change(field: Any = "messages", **lists: Any) -> dict[str, Any]:
    """Return a change in a field of a number, with these lists in its value."""
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": METADATA, **lists}}


def envelope(*changes: Any, time: Any = None, waba_id: Any = WABA) -> dict[str, Any]:
    """Return Meta's envelope around changes of one account."""
    entry = {"id": waba_id, "changes": list(changes), **({} if time is None else {"time": time})}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def batch(size: int = 1000) -> dict[str, Any]:
    """Return a body with as many updates as Meta puts into one webhook: statuses, and every tenth a message."""
    messages = [inbound_text(f"message {n}", wamid=f"wamid.in.{n}") for n in range(0, size, 10)]
    statuses = [status(wamid=f"wamid.out.{n}") for n in range(size - len(messages))]
    return envelope(change(contacts=[contact()], messages=messages), change(contacts=[contact()], statuses=statuses))


def in_bytes(body: Any) -> bytes:
    """Encode as Meta does: ASCII JSON with escapes."""
    return json.dumps(body, separators=(",", ":")).encode()


def events_of(body: Any) -> list[NewEvent]:
    """Split a body into events."""
    data = body if isinstance(body, bytes) else in_bytes(body)
    return split(data, sha256=hashlib.sha256(data).digest(), received_at=RECEIVED_AT)
