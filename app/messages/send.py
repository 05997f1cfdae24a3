"""Sends messages: reserves claimed ones in a transaction of its own, then makes the one POST of each.

A message is marked as being sent before its POST, and the mark is on disk. If the process dies after that, it is not
known whether Meta has the message: it becomes `unknown`, and is not sent again by itself.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from app.domain.job import Job, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.message import Message, MessageStatus
from app.domain.send_answer import Accepted, Refused, SendAnswer
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import EndedSend, Reserved, SendOutcome, SendResult, outcome_of_send
from app.domain.timestamps import iso
from app.log.contact_label import ContactLabel
from app.metrics import Metrics
from app.store import Store
from app.tracing import Span, Tracing

log = logging.getLogger(__name__)

LEVELS = {
    MessageStatus.ACCEPTED: logging.INFO,
    MessageStatus.QUEUED: logging.WARNING,
    MessageStatus.EXPIRED: logging.WARNING,
    MessageStatus.FAILED: logging.WARNING,
    MessageStatus.UNKNOWN: logging.ERROR,
}
"""Any other outcome is logged at DEBUG: the message was cancelled, or had ended before."""

Task = Callable[[], JobResult]


class Graph(Protocol):
    """The part of the Graph API's client, or of the fake one, that sending needs."""

    def send(
        self, phone_number_id: str, endpoint: str, body: bytes, may_still_write: Callable[[], bool]
    ) -> SendAnswer:
        """POST one message, unless it may not be written any more. Never raise for what the network or Meta does."""
        ...


class Sender:
    """Sends the messages of all numbers. All workers share one pace for each number, which the database keeps.

    `holds` returns whether a claim is still ours. It is asked once more right before a request is written: this
    process may have stood still so long that another worker has the job, or an operator has sent the message again.
    """

    def __init__(
        self,
        *,
        store: Store,
        graph: Graph,
        holds: Callable[[Job], bool],
        limits: SendLimits,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        metrics: Metrics,
        tracing: Tracing,
        contact_label: ContactLabel,
    ) -> None:
        self._store = store
        self._graph = graph
        self._holds = holds
        self._unposted: dict[tuple[int, int], tuple[Job, Reserved]] = {}
        self._in_doubt: list[Job] = []
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._metrics = metrics
        self._tracing = tracing
        self._contact_label = contact_label
        self._has_probed = False

    def has_work(self, queue: str) -> bool:
        """Return whether a message of this queue is due, by a read: most commits bring none, and a claim writes.

        A new process first makes stopped scopes due for a probe, because it may have a new token. Reservations that
        could not be taken back while the database was unreachable are taken back first.
        """
        if self._in_doubt:
            self.take_back(list(self._in_doubt))
        if not self._has_probed:
            self._store.sending.probe_stopped()
            self._has_probed = True
        due = self._store.jobs.next_due_in(queue)
        return due is not None and due <= 0

    def prepare(self, jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        """Reserve what may be sent now, and return its tasks. The other jobs are handed back."""
        if not jobs:
            return []
        reservations = self._store.sending.reserve(jobs, self._limits, self._doubt)
        self._remember(reservations.reserved)
        for pause in reservations.paused:
            fields = {"scope": pause.name, "reason": pause.explained(), "until": iso(pause.until)}
            log.error("sending.paused", extra=fields)
        return [
            *((ended.job, partial(self._end, ended)) for ended in reservations.ended),
            *((job, partial(self._send, job, reserved)) for job, reserved in reservations.reserved),
        ]

    def take_back(self, jobs: Sequence[Job]) -> None:
        """Take back the reservations of those of these jobs whose POSTs were not begun. Raise `StoreError`."""
        taken = [self._unposted[_key(job)] for job in jobs if _key(job) in self._unposted]
        if taken:
            self._store.sending.take_back(taken)
        for job, _ in taken:
            self._unposted.pop(_key(job), None)
        self._in_doubt = [job for job in self._in_doubt if _key(job) in self._unposted]

    def _doubt(self, reserved: Sequence[tuple[Job, Reserved]]) -> None:
        """Remember reservations that may be stored, and whose POSTs will not be made."""
        self._remember(reserved)
        self._in_doubt += [job for job, _ in reserved]

    def _remember(self, reserved: Sequence[tuple[Job, Reserved]]) -> None:
        self._unposted.update({_key(job): (job, one) for job, one in reserved})

    def _begin(self, job: Job) -> bool:
        """Return whether the request may be written, and remember that it was begun."""
        if not self._holds(job):
            return False
        self._unposted.pop(_key(job), None)
        return True

    def _send(self, job: Job, reserved: Reserved) -> JobResult:
        message, at, started = reserved.message, self._clock(), time.monotonic()
        span = self._tracing.attempt("send", reserved.trace)
        answer = self._graph.send(message.phone_number_id, message.endpoint, reserved.body, partial(self._begin, job))
        self._unposted.pop(_key(job), None)
        duration_ms = round((time.monotonic() - started) * 1000)
        outcome = outcome_of_send(answer, message, self._clock(), self._jitter, fault=reserved.fault)
        reason = _reason(answer)
        self._metrics.message_attempted(outcome=outcome.status.value)
        self._log_attempt(job, message, outcome, span, reason=reason, duration_ms=duration_ms)
        return SendResult(
            job,
            outcome.job_of(reserved),
            Attempt(at, None, reason, duration_ms) if outcome.signal is QueueSignal.FAILURE else None,
            outcome.signal,
            max_in_flight=self._limits.slots,
            send=outcome,
            reserved=reserved,
        )

    def _end(self, ended: EndedSend) -> JobResult:
        """Settle a job without a POST."""
        if ended.message is not None and ended.outcome.status is not MessageStatus.QUEUED:
            span = self._tracing.step("send", ended.trace)
            self._log_attempt(ended.job, ended.message, ended.outcome, span)
        return SendResult(ended.job, ended.outcome.job, send=ended.outcome)

    def _log_attempt(
        self,
        job: Job,
        message: Message,
        outcome: SendOutcome,
        span: Span,
        *,
        reason: str | None = None,
        duration_ms: int | None = None,
    ) -> None:
        """Log each POST, and each message that ends without one; end its span."""
        fields = {
            "trace_id": span.context.trace_id,
            "span_id": span.context.span_id,
            "message_id": message.id,
            "contact": self._contact_label(message.to or message.recipient),
            "queue": job.queue,
            "attempt": job.attempts + 1,
            "outcome": outcome.status.value,
            "error": reason,
            "duration_ms": duration_ms,
            "seconds": round(outcome.job.delay.total_seconds()) if isinstance(outcome.job, Retry) else None,
        }
        log.log(LEVELS.get(outcome.status, logging.DEBUG), "message.attempted", extra=fields)
        span.end(fields)


def _key(job: Job) -> tuple[int, int]:
    return job.id, job.claim_id


def _reason(answer: SendAnswer) -> str | None:
    """Return what went wrong, without Meta's text, which may name a customer."""
    if isinstance(answer, Accepted):
        return None
    if isinstance(answer, Refused):
        return f"HTTP {answer.http_status}" if answer.error is None else answer.error.number
    return answer.reason
