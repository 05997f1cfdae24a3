"""Builders of messages for tests."""

import hashlib
import json
from datetime import timedelta
from itertools import count

from app.domain.message import IdempotencyKey, NewMessage, new_message_id
from tests.support.store import NOON

NUMBER = "106540352242922"
DAY = timedelta(days=1)

_texts = count()


def idempotency_key(text: str, request: object = "") -> IdempotencyKey:
    """Return the key of a request."""
    digests = [hashlib.sha256(str(part).encode()).digest() for part in (text, request)]
    return IdempotencyKey(*digests, lifetime=7 * DAY)


def new_message(
    text: str | None = None,
    *,
    to: str = "+4915112345678",
    number: str = NUMBER,
    key: str | None = None,
    lifetime: timedelta = DAY,
    tracker: str | None = None,
) -> NewMessage:
    """Return a text message to accept. Without a text it is another one each time."""
    text = f"text {next(_texts)}" if text is None else text
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
    return NewMessage(
        id=new_message_id(NOON),
        phone_number_id=number,
        endpoint="messages",
        type="text",
        names=(to.removeprefix("+"),),
        body=json.dumps(body).encode(),
        lifetime=lifetime,
        to=to,
        tracker=tracker,
        key=None if key is None else idempotency_key(key, text),
    )
