"""Requests that submit messages, and messages for the store: each is another text, to another customer."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from app.domain.message import NewMessage, new_message_id
from app.store import Store

NUMBER = "9876543210"
FIRST_CUSTOMER = 4915100000000
STORED_AT_ONCE = 500

_RUN, _numbers = os.urandom(4).hex(), count()


def message() -> dict[str, Any]:
    """Return a text that was not there before; it holds the time at which it was made."""
    number = next(_numbers)
    text = f"sent={time.time():.6f}; {_RUN}-{number} " + "x" * 160
    return {
        "messaging_product": "whatsapp",
        "to": f"+{FIRST_CUSTOMER + number}",
        "type": "text",
        "text": {"body": text},
    }


def singles(token: str, *, with_keys: bool) -> Iterator[bytes]:
    """Yield requests with one message each."""
    while True:
        key = f"Idempotency-Key: {_RUN}-{next(_numbers)}\r\n" if with_keys else ""
        yield _request("/api/messages", token, message(), key)


def batches(token: str, size: int) -> Iterator[bytes]:
    """Yield requests with this many messages each, every one with a key."""
    while True:
        items = [{"message": message(), "idempotencyKey": f"{_RUN}-{next(_numbers)}"} for _ in range(size)]
        yield _request("/api/messages/batch", token, {"messages": items})


def store_messages(store: Store, messages: int) -> None:
    """Accept this many messages, many in a transaction."""
    for start in range(0, messages, STORED_AT_ONCE):
        store.messages.accept([_new() for _ in range(min(STORED_AT_ONCE, messages - start))])


def _new() -> NewMessage:
    body = message()
    return NewMessage(
        id=new_message_id(datetime.now(UTC)),
        phone_number_id=NUMBER,
        endpoint="messages",
        type="text",
        body=json.dumps(body, separators=(",", ":")).encode(),
        lifetime=timedelta(days=1),
        to=body["to"],
        recipient=None,
        tracker=None,
        key=None,
    )


def _request(path: str, token: str, document: object, headers: str = "") -> bytes:
    body = json.dumps(document).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
