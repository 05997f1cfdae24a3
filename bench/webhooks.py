"""Signed webhooks as complete HTTP requests, every one distinct: single updates of 0.5 to 3 KB, or batches."""

import itertools
import json
import os
import random
from collections.abc import Iterator
from typing import Any

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of

SECRET = "dry-run-app-secret"
PATH = "/webhooks/whatsapp"
MARK = b"@@@@@@@@@@@@@@@@@@@@@@@@"


def singles(seed: int = 1) -> Iterator[bytes]:
    """Yield webhooks with one update each, of 0.5 to 3 KB."""
    sizes = random.Random(seed)
    templates = [_envelope([_message("x" * sizes.randrange(1, 2500))]) for _ in range(64)]
    return _signed(templates)


def batches(updates: int = 1000) -> Iterator[bytes]:
    """Yield webhooks with this many updates each; a thousand make about 200 KB."""
    return _signed([_envelope([_status(number) for number in range(updates)])])


def large(size: int = 3 * 1024 * 1024) -> Iterator[bytes]:
    """Yield webhooks with one update, of the largest size that Meta sends."""
    around = len(_envelope([_message("")]))
    return _signed([_envelope([_message("x" * (size - around))])])


def _signed(templates: list[bytes]) -> Iterator[bytes]:
    run = os.urandom(6).hex()
    for number, template in enumerate(itertools.cycle(templates)):
        body = template.replace(MARK, f"{run}{number:012d}".encode(), 1)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"{SIGNATURE_HEADER}: {signature_of(body, SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def _envelope(updates: list[dict[str, Any]]) -> bytes:
    key = "statuses" if "status" in updates[0] else "messages"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "9876543210"},
        key: updates,
        "run": MARK.decode(),
    }
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _message(text: str) -> dict[str, Any]:
    wamid = f"wamid.{MARK.decode()}"
    return {"from": "4915112345678", "id": wamid, "timestamp": "1764000000", "type": "text", "text": {"body": text}}


def _status(number: int) -> dict[str, Any]:
    return {
        "id": f"wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjQ{number:06d}",
        "status": "delivered",
        "timestamp": "1764000000",
        "recipient_id": f"49151{number:08d}",
        "pricing": {"billable": True, "category": "utility"},
    }
