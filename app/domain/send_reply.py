"""Reads Meta's answer to the POST of a message: accepted, refused, or no word of the Graph API.

A status alone proves nothing: a proxy in front of the Graph API may answer 502 to a request that has reached it. Only
one answer without an error object counts as a refusal: 429, which a limiter gives before it passes anything on. A
success without a message id proves nothing either, also one that holds an error.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.graph_error_table import TOO_MANY_REQUESTS
from app.domain.meta.graph_errors import error_of_answer
from app.domain.meta.scalars import text
from app.domain.meta.usage import usage_of
from app.domain.retry import retry_after_of
from app.domain.send_answer import MAX_RETRY_AFTER, Accepted, Ambiguous, Refused, SendAnswer

SUCCESSES = range(200, 300)


def send_answer(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> SendAnswer:
    """Return what a whole answer says. `headers` are looked up without regard to case."""
    document = _json(body)
    accepted = _accepted(document)
    if accepted is not None:
        return accepted if status in SUCCESSES else Ambiguous(f"HTTP {status} with a message id")
    if status in SUCCESSES:
        return Ambiguous(f"HTTP {status} without a message id")
    error = error_of_answer(document)
    if error is None and status != TOO_MANY_REQUESTS:
        return Ambiguous(f"HTTP {status} without an error of the Graph API")
    retry_after = retry_after_of(headers.get("Retry-After"), now)
    delay = None if retry_after is None else min(retry_after, MAX_RETRY_AFTER)
    return Refused(error, status, delay, usage_of(headers).regain_minutes)


def _accepted(document: Any) -> Accepted | None:
    message, contact = _item(document, "messages"), _item(document, "contacts")
    wamid = text(message.get("id"))
    if wamid is None:
        return None
    return Accepted(
        wamid,
        text(contact.get("wa_id")),
        text(contact.get("user_id")),
        text(message.get("message_status")),
        text(_item(document, "messages", at=1).get("id")),
    )


def _item(document: Any, name: str, *, at: int = 0) -> dict[str, Any]:
    """Return an object of a list in the answer; an empty one without it."""
    items = document.get(name) if isinstance(document, dict) else None
    item = items[at] if isinstance(items, list) and len(items) > at else None
    return item if isinstance(item, dict) else {}


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        return read_body(body)
    except Unreadable:
        return None
