"""Accept messages: check them, and store them with their jobs unless the customer service window is closed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.config import Settings
from app.domain.message import (
    Acceptance,
    Endpoint,
    IdempotencyKey,
    Message,
    NewMessage,
    Unaccepted,
    WindowClosed,
    new_message_id,
)
from app.domain.meta.payloads.check import Payload, PayloadProblem, check_payload, late_fields
from app.domain.meta.payloads.findings import Advice
from app.domain.timestamps import iso
from app.domain.trace import TraceContext
from app.domain.window import Window
from app.gateway import Gateway


class Submission(NamedTuple):
    """A message as a client submits it: the decoded JSON body, and its idempotency key if it has one.

    `as_sent_to_meta`: the client speaks to Meta's API through wats; what wats does not know is left to Meta, and the
    same body without a key is the same message until its answer was given (see `repeat_key`). `client`: the name of
    its token. `trace`: the span of the request.
    """

    body: Any
    key: str | None = None
    endpoint: Endpoint = "messages"
    as_sent_to_meta: bool = False
    client: str = ""
    trace: TraceContext | None = None


class Accepted(NamedTuple):
    """An accepted message, or with `is_replay` the one that was accepted earlier with the same key."""

    message: Message
    is_replay: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Why a message was not accepted: a code of the API's errors, a sentence, and details."""

    code: str
    message: str
    details: dict[str, Any] | None = None


Result = Accepted | Refused

REPEATED_WITHIN = timedelta(minutes=2)
REPEAT_PREFIX = b"\0"
"""Keeps our keys for repeats apart from those of clients, which have visible characters only."""

_SENT_BODY, _SORTED = json.JSONEncoder(separators=(",", ":")), json.JSONEncoder(sort_keys=True)

CONFLICT = Refused("idempotency_conflict", "This idempotency key was used for another request; take a new key.")
ERASED = Refused("erased", "The message that was accepted with this key is erased; it is not sent again.")
NO_INBOUND_KNOWN = (
    "no message or call from this customer is known; outside the customer service window Meta takes templates"
)


class _Checked(NamedTuple):
    new: NewMessage
    warnings: tuple[str, ...]
    late: tuple[PayloadProblem, ...]


def accept(gateway: Gateway, submissions: Sequence[Submission], advice: Advice | None = None) -> list[Result]:
    """Accept the valid ones of these messages in one transaction. Return one result for each submission.

    `advice`: that of the request, if it has further parts.
    """
    now, advice = gateway.clock(), advice or Advice()
    checked = [check(submission, gateway.settings, now, advice) for submission in submissions]
    accepted = iter(gateway.store.messages.accept([one.new for one in checked if isinstance(one, _Checked)]))
    return [one if isinstance(one, Refused) else _result(next(accepted), one, now) for one in checked]


def check(submission: Submission, settings: Settings, now: datetime, advice: Advice) -> _Checked | Refused:
    """Return the message to store, or the refusal with all its mistakes."""
    payload = check_payload(
        submission.body,
        endpoint=submission.endpoint,
        as_sent_to_meta=submission.as_sent_to_meta,
        advice=advice,
    )
    if not isinstance(payload, Payload):
        return invalid_fields(payload)
    number = payload.sender or settings.whatsapp.phone_number_ids[0]
    if number not in settings.whatsapp.phone_number_ids:
        known = ", ".join(settings.whatsapp.phone_number_ids)
        problem = PayloadProblem("/from", "must be a phone number id of the profile", f"one of {known}")
        return invalid_fields((problem,))
    late = late_fields(payload, now)
    new = _new_message(submission, payload, number, settings, now)
    return _Checked(new._replace(is_late=True) if late else new, payload.warnings, late)


def invalid_fields(problems: Sequence[PayloadProblem]) -> Refused:
    """Return the refusal of a message with these mistakes."""
    fields = [{name: part for name, part in vars(problem).items() if part is not None} for problem in problems]
    return Refused("invalid_fields", "Some fields are missing or wrong.", {"fields": fields})


def _new_message(
    submission: Submission, payload: Payload, number: str, settings: Settings, now: datetime
) -> NewMessage:
    sending = settings.sending
    return NewMessage(
        id=new_message_id(now),
        phone_number_id=number,
        endpoint=submission.endpoint,
        type=payload.kind,
        body=_SENT_BODY.encode(payload.body).encode("ascii"),
        lifetime=timedelta(hours=sending.message_lifetime_hours),
        to=payload.to,
        recipient=payload.recipient,
        tracker=payload.tracker,
        window_exempt=payload.is_window_exempt,
        window_policy="off" if payload.is_window_exempt else sending.window_policy,
        key=_key(submission, sending.idempotency_days),
        trace=submission.trace,
    )


def _key(submission: Submission, days: int) -> IdempotencyKey | None:
    if submission.key is None:
        return repeat_key(submission)
    key = hashlib.sha256(submission.key.encode()).digest()
    return IdempotencyKey(key, hashlib.sha256(_request(submission)).digest(), timedelta(days=days))


def repeat_key(submission: Submission) -> IdempotencyKey | None:
    """Return a key made from the body, for a client of Meta's API that gave none; None for any other client.

    Such a client sends its message again if no answer came in time, and cannot say that it is the same message. The
    same body from two clients is two messages. Once an answer was given, the caller forgets the key: the same body is
    a new message then.
    """
    if submission.key is not None or not submission.as_sent_to_meta:
        return None
    request = _request(submission)
    client = hashlib.sha256(submission.client.encode()).digest()
    key = hashlib.sha256(REPEAT_PREFIX + client + request).digest()
    return IdempotencyKey(key, hashlib.sha256(request).digest(), REPEATED_WITHIN)


def _request(submission: Submission) -> bytes:
    return _SORTED.encode([submission.endpoint, submission.body]).encode("ascii")


def _result(acceptance: Acceptance, checked: _Checked, now: datetime) -> Result:
    if acceptance is Unaccepted.LATE:
        return invalid_fields(checked.late)
    if isinstance(acceptance, Unaccepted):
        return ERASED if acceptance is Unaccepted.ERASED else CONFLICT
    if isinstance(acceptance, WindowClosed):
        reason = _closed(acceptance.window)
        return Refused("window_closed", f"{reason[0].upper()}{reason[1:]}.", _times(acceptance.window))
    if acceptance.is_replay:
        return Accepted(acceptance.message, is_replay=True)
    warnings = (*checked.warnings, *_warnings_of_window(acceptance.window, now))
    return Accepted(acceptance.message, is_replay=False, warnings=warnings)


def _warnings_of_window(window: Window | None, now: datetime) -> tuple[str, ...]:
    if window is None or window.is_open(now):
        return ()
    return (NO_INBOUND_KNOWN if window.last_inbound_at is None else _closed(window),)


def _closed(window: Window) -> str:
    return (
        f"the customer service window closed at {_times(window)['expiresAt']}; only templates are taken outside of it"
    )


def _times(window: Window) -> dict[str, str | None]:
    return {"lastInboundAt": iso(window.last_inbound_at), "expiresAt": iso(window.expires_at)}
