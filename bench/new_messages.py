"""Webhooks with new messages, each of which holds the time at which it was sent."""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from bench.webhooks import PATH, SECRET

_RUN, _numbers = f"{time.time_ns():x}", count()


def webhooks(updates: int = 1) -> Iterator[bytes]:
    """Yield signed webhooks with this many new messages each; a message holds the time at which it was sent."""
    while True:
        body = new_messages(updates)
        signature = signature_of(body, SECRET)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"{SIGNATURE_HEADER}: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def new_messages(updates: int) -> bytes:
    """Return the body of a webhook with this many messages that were not there before."""
    return _envelope([_message(f"wamid.{_RUN}.{next(_numbers)}") for _ in range(updates)])


def _message(wamid: str) -> dict[str, Any]:
    text = f"sent={time.time():.6f}; " + "x" * 300
    return {"from": "4915112345678", "id": wamid, "timestamp": "1764000000", "type": "text", "text": {"body": text}}


def _envelope(messages: list[dict[str, Any]]) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "9876543210"},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "4915112345678"}],
        "messages": messages,
    }
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
