"""Check a message before it is stored: the one place that turns a client's body into what is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from app.domain.message import Endpoint
from app.domain.meta.payloads.findings import Advice, Finding, Findings, Severity, json_type
from app.domain.meta.payloads.kinds import table_of
from app.domain.meta.payloads.order_expiry import KINDS_WITH_ORDERS, late_orders
from app.domain.meta.payloads.recipients import phone_of
from app.domain.meta.payloads.scan import scan
from app.domain.meta.payloads.structure import ANYTHING, Object

MAX_PROBLEMS = 50
OURS = ("from", "biz_opaque_callback_data")
"""Keys that are not sent as they are: one is ours, in the place of the other Meta gets our own tracker."""

WINDOW_EXEMPT = ("utility", "authentication")


@dataclass(frozen=True)
class PayloadProblem:
    """One mistake in a body."""

    pointer: str
    """Where, as a JSON pointer (RFC 6901) into the body as the client wrote it."""
    message: str
    """The mistake, with the limit; it continues a sentence that begins with the field."""
    hint: str | None
    """Advice on what to write instead."""


class Payload(NamedTuple):
    """A message that may be stored.

    `to` is a phone number as `+491701234567`, or a group id; `recipient` a user id. `body` is what is sent, but for
    our tracker: it has the client's `to` as it is sent, and neither `from` (`sender`) nor `biz_opaque_callback_data`
    (`tracker`). A message that is exempt may be sent outside of the customer service window. With `as_sent_to_meta`,
    `to` is the client's text where it is no phone number, and `kind` may be one that wats does not know.
    """

    kind: str
    to: str | None
    recipient: str | None
    is_group: bool
    sender: str | None
    tracker: str | None
    body: dict[str, Any]
    warnings: tuple[str, ...]
    is_window_exempt: bool


def check_payload(
    body: object,
    *,
    endpoint: Endpoint = "messages",
    as_sent_to_meta: bool = False,
    advice: Advice | None = None,
) -> Payload | tuple[PayloadProblem, ...]:
    """Return the message in a decoded JSON body, or everything that is wrong with it (at most MAX_PROBLEMS).

    With `as_sent_to_meta` the client speaks to Meta's API through wats: what wats does not know is left to Meta, a
    missing `type` means text as it does there, and `to` is sent as the client wrote it. `advice`: that of the
    request, if the body is a part of one.
    """
    if not isinstance(body, dict):
        return (PayloadProblem("", f"must be an object, not {json_type(body)}", None),)
    message = {**body, "type": "text"} if as_sent_to_meta and body.get("type") is None else body
    warnings: list[Finding] = []
    problems = first_problems(_mistakes(message, endpoint, as_sent_to_meta, warnings), advice or Advice())
    return problems or _payload(message, body, warnings, as_sent_to_meta)


def late_fields(payload: Payload, now: datetime) -> tuple[PayloadProblem, ...]:
    """Return the times in a message that are too late for a new message."""
    return first_problems(late_orders(payload.body, now), Advice()) if payload.kind in KINDS_WITH_ORDERS else ()


def first_problems(findings: Findings, advice: Advice) -> tuple[PayloadProblem, ...]:
    """Return the first findings (MAX_PROBLEMS) as problems, and look for no more."""
    first = islice(findings, MAX_PROBLEMS)
    return tuple(PayloadProblem(each.pointer, each.message, advice.on(each)) for each in first)


def text_payload(body: dict[str, Any]) -> Payload | tuple[PayloadProblem, ...]:
    """Return the text message of the short form `{to, text, previewUrl?, from?}`, or all that is wrong with it."""
    checked = check_payload(_in_full(body))
    unknown = {key: value for key, value in body.items() if key not in _SHORT_FORM.keys}
    problems = () if isinstance(checked, Payload) else checked
    moved = (replace(each, pointer=_SHORT_POINTERS.get(each.pointer, each.pointer)) for each in problems)
    found = (*moved, *first_problems(_SHORT_FORM.check(unknown), Advice()))
    return found[:MAX_PROBLEMS] or checked


def _in_full(body: dict[str, Any]) -> dict[str, Any]:
    """Return the short form of a text as Meta's message object."""
    preview = {} if body.get("previewUrl") is None else {"preview_url": body["previewUrl"]}
    to = {"to": body["to"]} if "to" in body else {}
    sender = {"from": body["from"]} if "from" in body else {}
    return {**to, "type": "text", "text": {"body": body.get("text"), **preview}, **sender}


_SHORT_FORM = Object(optional=dict.fromkeys(("to", "text", "previewUrl", "from"), ANYTHING))
_SHORT_POINTERS = {"/text/body": "/text", "/text/preview_url": "/previewUrl"}


def _mistakes(
    message: dict[str, Any], endpoint: Endpoint, as_sent_to_meta: bool, warnings: list[Finding]
) -> Findings:
    """Yield the findings that refuse the message; collect the warnings."""
    for finding in _findings(message, endpoint):
        if finding.severity == Severity.WARNING:
            warnings.append(finding)
        elif finding.severity == Severity.WRONG or not as_sent_to_meta:
            yield finding


def _findings(message: dict[str, Any], endpoint: Endpoint) -> Findings:
    """Yield what is wrong anywhere, then what is wrong with each field; nothing more of a body that is too large."""
    is_small = yield from scan(message)
    if is_small:
        yield from table_of(message, endpoint).check(message)


def _payload(
    message: dict[str, Any], body: dict[str, Any], warnings: list[Finding], as_sent_to_meta: bool
) -> Payload:
    is_group = message.get("recipient_type") == "group"
    to = _text(message.get("to"))
    phone = None if is_group else phone_of(to)
    sent = {"messaging_product": "whatsapp", "recipient_type": "individual", **body}
    for key in OURS:
        sent.pop(key, None)
    if phone is not None and not as_sent_to_meta:
        sent["to"] = phone
    return Payload(
        kind=message["type"],
        to=phone or to,
        recipient=_text(message.get("recipient")),
        is_group=is_group,
        sender=_text(message.get("from")),
        tracker=_text(message.get("biz_opaque_callback_data")),
        body=sent,
        warnings=tuple(_sentences(warnings[:MAX_PROBLEMS])),
        is_window_exempt=message["type"] == "template" or message.get("category") in WINDOW_EXEMPT,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _sentences(warnings: list[Finding]) -> Iterator[str]:
    for each in warnings:
        hint = f"; {each.advice}" if each.advice else ""
        yield f"{each.pointer} {each.message}{hint}"
