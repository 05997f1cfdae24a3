"""Make webhooks as Meta posts them: the envelope, its bytes and its signatures."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.switches import Switches
from app.graph.fake.wire import encode

USER_AGENT = "facebookexternalua"


@dataclass(frozen=True)
class Change:
    """One change of an account. `batch`: at most this many changes of its kind are in one webhook.

    `at`: the time of its entry, which has one where the value has none.
    """

    waba: str
    field: str
    value: dict[str, Any]
    batch: int = 1
    at: int | None = None


def change_of(number: Number, batch: int = 1, field: str = "messages", **lists: Any) -> Change:
    """Return a change that concerns a number, with these lists in its value."""
    metadata = {"display_phone_number": number.display, "phone_number_id": number.id}
    return Change(number.waba, field, {"messaging_product": "whatsapp", "metadata": metadata, **lists}, batch)


def envelope_of(changes: Iterable[Change]) -> dict[str, Any]:
    """Return Meta's envelope around changes; updates of one number and field share a value."""
    entries: dict[tuple[str, int | None], list[dict[str, Any]]] = {}
    for change in changes:
        _add(entries.setdefault((change.waba, change.at), []), change)
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": waba, **({} if at is None else {"time": at}), "changes": parts}
            for (waba, at), parts in entries.items()
        ],
    }


def _add(parts: list[dict[str, Any]], change: Change) -> None:
    for part in parts:
        value = part["value"]
        if "metadata" in value and (part["field"], value["metadata"]) == (change.field, change.value.get("metadata")):
            for name in change.value.keys() - {"messaging_product", "metadata"}:
                value[name] = value.get(name, []) + change.value[name]
            return
    parts.append({"value": dict(change.value), "field": change.field})


def bytes_of(changes: Iterable[Change]) -> bytes:
    """Return the body of one webhook with these changes."""
    return encode(envelope_of(changes))


def headers_of(body: bytes, accounts: Accounts, switches: Switches) -> dict[str, str]:
    """Return the headers of the POST of a webhook."""
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Accept": "*/*"}
    if switches.signed == "not":
        return headers
    secret = {
        "rightly": accounts.app_secret,
        "by_previous": accounts.previous_app_secret,
        "wrongly": accounts.app_secret + " but another",
    }[switches.signed].encode()
    headers["X-Hub-Signature"] = f"sha1={hmac.new(secret, body, hashlib.sha1).hexdigest()}"
    headers["X-Hub-Signature-256"] = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
    return headers


def shaped(change: Change, switches: Switches) -> Change:
    """Return a change as the switches of its shape have it."""
    value = dict(change.value)
    if "statuses" in value:
        value["statuses"] = [_status(status, switches) for status in value["statuses"]]
        is_failed = any(status["status"] == "failed" for status in value["statuses"])
        if switches.without_contacts or (is_failed and switches.failed_without_contacts):
            value.pop("contacts", None)
    if switches.unknown_fields:
        value["x_new_field"] = {"of": ["next", "month"]}
    return replace(change, value=value)


def _status(status: dict[str, Any], switches: Switches) -> dict[str, Any]:
    status = dict(status)
    if status["status"] == "failed":
        if switches.failed_without_tracker:
            status.pop("biz_opaque_callback_data", None)
        if switches.numbers_as_strings:
            status["errors"] = [{**error, "code": str(error["code"])} for error in status["errors"]]
    if switches.old_pricing and "pricing" in status:
        status |= _old_pricing(status)
    if switches.unknown_fields:
        status["x_new_field"] = 1
    return status


def _old_pricing(status: dict[str, Any]) -> dict[str, Any]:
    """Return the pricing of a conversation, as before July 2025."""
    category = status["pricing"]["category"]
    conversation = {"id": hashlib.md5(status["id"].encode(), usedforsecurity=False).hexdigest()}
    return {
        "pricing": {"billable": True, "pricing_model": "CBP", "category": category},
        "conversation": {**conversation, "origin": {"type": category}},
    }
