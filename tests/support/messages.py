"""Builders of messages for tests, and of what Meta says of them."""

import hashlib
import json
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import update

from app.domain.message import (
    AcceptedMessage,
    HistoryEntry,
    IdempotencyKey,
    Message,
    MessageStatus,
    NewMessage,
    new_message_id,
)
from app.domain.meta.parse import split
from app.domain.split import SplitEvent
from app.domain.tracker import FIELD, Tracker
from app.store import Store
from app.store.tables.message_schema import messages
from app.store.tables.messages import key_of_message
from tests.support.envelopes import envelope
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
        body=json.dumps(body).encode(),
        lifetime=lifetime,
        to=to,
        tracker=tracker,
        key=None if key is None else idempotency_key(key, text),
    )


def stored_message(**known: Any) -> Message:
    """Return a text message as a store returns it, queued at noon if nothing else is known of it."""
    usual = {
        "id": new_message_id(NOON),
        "row_id": 1,
        "phone_number_id": NUMBER,
        "contact": 1,
        "endpoint": "messages",
        "status": MessageStatus.QUEUED,
        "type": "text",
        "to": "+4915112345678",
        "recipient": None,
        "wamid": None,
        "resends": 0,
        "tracker": None,
        "created_at": NOON,
        "updated_at": NOON,
        "expires_at": NOON + DAY,
        "history": (HistoryEntry("queued", NOON),),
    }
    return Message(**{**usual, **known})


def accept(store: Store, *new: NewMessage) -> list[Message]:
    """Accept these messages, and return those that were accepted."""
    accepted = store.messages.accept(new)
    return [one.message for one in accepted if isinstance(one, AcceptedMessage)]


def mark_sending(store: Store, *accepted: Message) -> None:
    """Give these messages the status that they have while a worker sends them."""
    ids = [message.row_id for message in accepted]
    store.write(lambda c: c.execute(update(messages).where(messages.c.id.in_(ids)).values(status="sending")))


def tracker_of(store: Store, message: Message, resends: int = 0) -> str:
    """Return the tracker that Meta gets with this message."""
    return str(Tracker(store.identity().id, key_of_message(message.id) or b"", resends))


def status(wamid: str, word: str = "sent", *, at: datetime = NOON, tracker: str | None = None, **more: Any) -> Any:
    """Return a status as Meta sends it."""
    tracked = {} if tracker is None else {FIELD: tracker}
    fixed = {"id": wamid, "status": word, "timestamp": str(int(at.timestamp())), "recipient_id": "4915112345678"}
    return {**fixed, **tracked, **more}


def webhook(*, number: str = NUMBER, foreign: bool = False, **value: Any) -> list[SplitEvent]:
    """Return the events of a webhook with these lists in its value: `statuses`, `messages`, `contacts`, `calls`."""
    metadata = {"display_phone_number": "15550001111", "phone_number_id": number}
    field = "calls" if "calls" in value else "messages"
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    body = json.dumps(envelope(change)).encode()
    return [
        SplitEvent(event, foreign) for event in split(body, sha256=hashlib.sha256(body).digest(), received_at=NOON)
    ]
