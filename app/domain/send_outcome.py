"""Decides what follows from one POST of a message: for the message, for its job, and for what else is sent.

A message is tried again only after an answer that proves that Meta has not accepted it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from app.domain.content_scope import Sent, content_of
from app.domain.job import Done, Job, Retry
from app.domain.job_result import JobResult, QueueSignal
from app.domain.message import Message, MessageStatus, name_sent_to
from app.domain.meta import scalars
from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import ErrorClass, ErrorRule, ErrorScope, GraphError, error_json
from app.domain.meta.touch import Touch
from app.domain.scope_pause import Refusal, ScopePause
from app.domain.send_answer import Accepted, Ambiguous, NotSent, Refused, SendAnswer
from app.domain.trace import TraceContext

FIRST_BACKOFF, MAX_BACKOFF = timedelta(seconds=2), timedelta(minutes=5)
OPEN_BACKOFF = timedelta(minutes=2)
"""When a message is tried again if it is not known yet whether the error is its own fault."""

NUMBER_BACKOFF = timedelta(seconds=1)
"""A message that was refused for its number's rate is tried again soon: the number goes slower meanwhile."""

PAUSING = (ErrorClass.STOPPED, ErrorClass.COOLED, ErrorClass.THROTTLED)


class Fault(Enum):
    """Whose fault it is if an error that stops a scope comes again for a message that it has stopped before."""

    SCOPE = "the scope's"
    OPEN = "not known: Meta has accepted others since, but the scope was stopped as well"
    MESSAGE = "its own: Meta has accepted others since, and refused none"


Error = dict[str, Any]
"""A message's error as the API shows it: Meta's object as it came, and our `class`, `hint` and number of `tries`."""


@dataclass(frozen=True)
class SendOutcome:
    """The outcome of one POST. `status` is the message's; `job`: whether it is tried again, and after which delay.

    `refusal`: its scope is paused. `slows_number`, `slows_pair`: Meta has refused it for the pace. `signal`: what it
    says about the queue, as the number's connection to Meta.
    """

    status: MessageStatus
    job: Done | Retry
    error: Error | None = None
    accepted: Accepted | None = None
    refusal: Refusal | None = None
    slows_number: bool = False
    slows_pair: bool = False
    signal: QueueSignal = QueueSignal.NONE

    def job_of(self, reserved: "Reserved") -> Done | Retry:
        """Return the outcome of the message's job. A parked message is due again with its scope."""
        if isinstance(self.job, Done) or self.job.keeps_order or self.refusal is None:
            return self.job
        return replace(self.job, held_by=next(iter(reserved.sent.names(self.refusal.scope)), None))

    @property
    def shows_that_scopes_work(self) -> bool:
        """Whether Meta has looked at the message itself: nothing is wrong with token, account and number.

        A message that fails after too many errors of Meta's service shows nothing.
        """
        is_final = self.status is MessageStatus.FAILED and (self.error or {}).get("class") != ErrorClass.TRANSIENT
        return self.status is MessageStatus.ACCEPTED or is_final


@dataclass(frozen=True)
class Reserved:
    """A message that is marked as being sent since `at`, with the body that is posted, its tracker included.

    `contact` is the customer's number, `waba_id` the account of the number, if it is known. `probing`: the
    pauses of which this message is the probe. `resets_pair`: the customer's last message was refused for its pace.
    `fault`: whose it is if an error stops it again. `trace`: the span of the request that brought the message, if it
    is known.
    """

    message: Message
    contact: int
    body: bytes
    at: datetime
    waba_id: str | None
    probing: tuple[ScopePause, ...] = ()
    resets_pair: bool = False
    fault: Fault = Fault.SCOPE
    trace: TraceContext | None = None

    @property
    def sent(self) -> Sent:
        """The message as its scopes see it."""
        number = self.message.phone_number_id
        return Sent(self.waba_id or number, number, self.contact, self.message.endpoint, content_of(self.body))


@dataclass(frozen=True)
class EndedSend:
    """A claimed message that is over without a POST. `message`: None if it was erased."""

    job: Job
    message: Message | None
    outcome: SendOutcome
    trace: TraceContext | None = None


@dataclass(frozen=True)
class SendResult(JobResult):
    """The result of a job of a message. `reserved`: None if it ended without a POST."""

    send: SendOutcome | None = None
    reserved: Reserved | None = None

    @property
    def outlives_claim(self) -> bool:
        """Whether it holds what became of a POST: that is recorded in any case."""
        return self.reserved is not None


def is_suspect(message: Message) -> bool:
    """Return whether Meta refused the message last with an error that pauses a scope: it may be its own fault."""
    return (message.error or {}).get("class") in PAUSING


def outcome_of_send(
    answer: SendAnswer,
    message: Message,
    now: datetime,
    jitter: Callable[[], float],
    *,
    fault: Fault = Fault.SCOPE,
) -> SendOutcome:
    """Return the outcome of a send by Meta's answer. `fault`: see `Reserved`."""
    if isinstance(answer, Accepted):
        return SendOutcome(MessageStatus.ACCEPTED, Done(), accepted=answer, signal=QueueSignal.SUCCESS)
    if isinstance(answer, Ambiguous):
        return SendOutcome(MessageStatus.UNKNOWN, Done(), signal=QueueSignal.FAILURE)
    if isinstance(answer, NotSent):
        if answer.is_given_up:
            return SendOutcome(MessageStatus.QUEUED, Retry(timedelta()), message.error)
        error = _with_tries({"message": answer.reason, "class": ErrorClass.TRANSIENT.value}, message)
        job = _retry(_backoff(error["tries"], jitter), message, now)
        return SendOutcome(MessageStatus.QUEUED, job, error, signal=QueueSignal.FAILURE)
    return _after_refusal(answer, message, now, jitter, fault)


def touch_of_answer(message: Message, accepted: Accepted, now: datetime) -> Touch:
    """Return the touch of an accepted message: the names by which Meta knows the recipient."""
    sent_to = name_sent_to(message.to, message.recipient)
    wa_id, user_id, _ = scalars.customer_ids(accepted.wa_id, accepted.user_id)
    names = tuple(dict.fromkeys(name for name in (user_id, sent_to, wa_id) if name))
    return Touch(message.phone_number_id, names, wa_id, user_id, outbound_at=now)


def refusal_of(
    error: GraphError | None, rule: ErrorRule, delay: timedelta, *, is_late: bool = False
) -> Refusal | None:
    """Return why a scope is to be paused; None if the error pauses none.

    A number that is too fast is slowed, not paused, unless the answer asks for a delay.
    """
    if not rule.holds and (rule.error_class not in PAUSING or (is_pace_of_number(rule) and not delay)):
        return None
    said = "HTTP 429" if error is None else error.summary
    code = 0 if error is None else error.code
    return Refusal(rule.error_class, rule.scope, code, said, max(delay, rule.pause or delay), is_late)


def _after_refusal(
    answer: Refused, message: Message, now: datetime, jitter: Callable[[], float], fault: Fault
) -> SendOutcome:
    rule = rule_for(answer.error, answer.http_status, is_marketing=message.endpoint == "marketing_messages")
    error = _with_tries(
        {**error_json(answer.error, rule, answer.http_status), "httpStatus": answer.http_status}, message
    )
    is_over = rule.is_final or (rule.max_tries is not None and error["tries"] >= rule.max_tries)
    is_stopped_again = rule.error_class is ErrorClass.STOPPED and error["tries"] > 1
    if is_stopped_again and fault is Fault.OPEN:
        job = _retry(OPEN_BACKOFF, message, now)
        return SendOutcome(MessageStatus.QUEUED, job, error, signal=QueueSignal.SUCCESS)
    is_own_fault = is_stopped_again and fault is Fault.MESSAGE
    asked = answer.delay_of_calls if rule.is_of_calls else answer.delay
    delay = max(_delay(rule, error["tries"], jitter), asked)
    is_parked_too_long = rule.error_class is ErrorClass.PARKED and now + delay >= message.expires_at
    if is_over or is_own_fault or is_parked_too_long:
        refusal = refusal_of(answer.error, rule, asked) if rule.holds else None
        return SendOutcome(MessageStatus.FAILED, Done(), error, refusal=refusal, signal=QueueSignal.SUCCESS)
    return SendOutcome(
        MessageStatus.QUEUED,
        replace(_retry(delay, message, now), keeps_order=rule.error_class is not ErrorClass.PARKED),
        error,
        refusal=refusal_of(answer.error, rule, asked),
        slows_number=is_pace_of_number(rule),
        slows_pair=rule.error_class is ErrorClass.PAIR_THROTTLED,
        signal=_signal(rule),
    )


def _delay(rule: ErrorRule, tries: int, jitter: Callable[[], float]) -> timedelta:
    """Return how long this message waits. A paused scope and the pace of a customer delay it further."""
    if rule.pause is not None:
        return rule.pause
    if rule.error_class is ErrorClass.TRANSIENT:
        return _backoff(tries, jitter)
    return NUMBER_BACKOFF if is_pace_of_number(rule) else timedelta()


def _signal(rule: ErrorRule) -> QueueSignal:
    """Return the signal of a refusal for the queue: Meta is reached, unless its whole service is down."""
    is_outage = rule.error_class is ErrorClass.TRANSIENT and rule.scope is not ErrorScope.MESSAGE
    return QueueSignal.FAILURE if is_outage else QueueSignal.SUCCESS


def is_pace_of_number(rule: ErrorRule) -> bool:
    """Return whether Meta has refused a message because its number is too fast."""
    return rule.error_class is ErrorClass.THROTTLED and rule.scope is ErrorScope.NUMBER


def _with_tries(error: Error, message: Message) -> Error:
    """Count how often in a row the message was refused with this error."""
    last = message.error or {}
    is_same = (last.get("code"), last.get("class")) == (error.get("code"), error["class"])
    return {**error, "tries": (last.get("tries", 0) if is_same else 0) + 1}


def _backoff(tries: int, jitter: Callable[[], float]) -> timedelta:
    backoff: timedelta = FIRST_BACKOFF * 2 ** min(tries - 1, 10)
    return min(backoff, MAX_BACKOFF) * (0.8 + 0.4 * jitter())


def _retry(delay: timedelta, message: Message, now: datetime) -> Retry:
    """Try again after this delay, or look at the message again when it expires."""
    return Retry(max(timedelta(), min(delay, message.expires_at - now)))
