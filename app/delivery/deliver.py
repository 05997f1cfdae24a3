"""One attempt at a delivery: from the event to the result that the store records. It settles nothing itself."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from app.config import Destination
from app.domain.compact_json import compact_json
from app.domain.delivery import Delivery
from app.domain.event import Event
from app.domain.event_json import event_json
from app.domain.job import Dead, Done, Job, Outcome, Retry
from app.domain.job_result import Attempt, JobResult
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.media import with_media_urls
from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from app.domain.meta.status_update import message_in
from app.domain.push_response import PushResponse, failed_answer
from app.domain.retry import outcome_of, pause_after
from app.domain.standard_webhooks import signing_headers
from app.domain.trace import HEADER as TRACEPARENT
from app.domain.trace import TraceContext
from app.gateway import Gateway
from app.tracing import Span

log = logging.getLogger(__name__)

MAX_BYTES = 16 * 1024
"""An event whose stored document is larger is not loaded together with others."""

MediaUrl = Callable[[str], str | None]
"""Returns where others get a file from the gateway, by its id; None if that is not known."""

MIN_SECRET_LENGTH = 6

OUTCOMES: dict[type[Outcome], tuple[str, int]] = {
    Done: ("delivered", logging.INFO),
    Retry: ("retry", logging.WARNING),
    Dead: ("dead", logging.ERROR),
}


def prepare_deliveries(jobs: Sequence[Job], gateway: Gateway) -> list[tuple[Job, Callable[[], JobResult]]]:
    """Return the task of each claimed job. A job whose delivery was erased with its customer is done.

    A large event is loaded when its job is started: the jobs that are claimed together must fit into memory.
    """
    loaded = gateway.store.deliveries.load(jobs, max_bytes=MAX_BYTES) if jobs else {}
    return [
        (
            job,
            partial(_deliver_loaded, job, loaded[job.id], gateway)
            if job.id in loaded
            else partial(JobResult, job, Done()),
        )
        for job in jobs
    ]


def _deliver_loaded(job: Job, loaded: tuple[Delivery, Event] | None, gateway: Gateway) -> JobResult:
    loaded = loaded or gateway.store.deliveries.load([job]).get(job.id)
    return JobResult(job, Done()) if loaded is None else deliver(job, *loaded, gateway)


def deliver(job: Job, delivery: Delivery, event: Event, gateway: Gateway) -> JobResult:
    """Push an event to its destination once. Every push of an event has the same id, bytes and trace.

    The deliveries of a destination that is no longer in the config wait until it is there again.
    """
    destination = _configured(delivery.destination, gateway)
    if destination is None:
        return JobResult(job, Retry(pause_after(job.attempts, gateway.jitter())))
    at = gateway.clock()
    body = body_for(destination, event, gateway.settings.service.media_url)
    span = gateway.tracing.attempt(f"deliver {destination.name}", event.followed)
    response = gateway.destinations.post(destination, body, headers_for(destination, event, body, at, span.context))
    outcome, signal, retry_after = outcome_of(response, job.attempts, gateway.jitter())
    _log_attempt(job, delivery, event, response=response, outcome=outcome, span=span, gateway=gateway)
    _count(delivery, event, outcome, gateway)
    answer = answer_of(response, destination)
    attempt = Attempt(at, response.status, response.error, response.duration_ms, answer)
    return JobResult(job, outcome, attempt, signal, retry_after, destination.max_in_flight)


def body_for(destination: Destination, event: Event, media_url: MediaUrl) -> bytes:
    """Return the event in the destination's format."""
    return body_in(destination.format, event, media_url)


def body_in(format_: str, event: Event, media_url: MediaUrl) -> bytes:
    """Return the event in a format, as ASCII.

    In the `meta` format media have the URL of `media_url` and not Meta's: a receiver has our token, not Meta's.
    """
    if format_ == "meta":
        document = meta_envelope(replace(event, raw=with_media_urls(event.raw, media_url)))
    else:
        document = event_json(event)
    return compact_json(document).encode()


def headers_for(
    destination: Destination, event: Event, body: bytes, at: datetime, trace: TraceContext
) -> dict[str, str]:
    """Return the destination's configured headers, the signature of its format, and the span of this push.

    The `meta` format is signed with one secret, as Meta does; the `events` format with all active ones.
    """
    own = {header.name: header.value for header in destination.headers}
    if destination.format == "meta":
        signature = {SIGNATURE_HEADER: signature_of(body, destination.secret.current)}
    else:
        signature = signing_headers(event.id, at, body, destination.secret.active)
    return {**own, "Content-Type": "application/json", **signature, TRACEPARENT: trace.traceparent}


def answer_of(response: PushResponse, destination: Destination) -> str | None:
    """Return the beginning of a failed answer's body, without what is secret about the destination."""
    secrets = (*destination.secret.active, *(header.value for header in destination.headers))
    return failed_answer(response, (secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH))


def _configured(name: str, gateway: Gateway) -> Destination | None:
    return next((destination for destination in gateway.settings.destinations if destination.name == name), None)


def _log_attempt(
    job: Job,
    delivery: Delivery,
    event: Event,
    *,
    response: PushResponse,
    outcome: Outcome,
    span: Span,
    gateway: Gateway,
) -> None:
    """Log the attempt, and end its span."""
    label, level = OUTCOMES[type(outcome)]
    fields = {
        "trace_id": span.context.trace_id,
        "span_id": span.context.span_id,
        "receipt_id": event.receipt_id,
        "message_id": message_in(event),
        "contact": gateway.contact_label(event.contact.wa_id or event.contact.user_id),
        "delivery_id": delivery.id,
        "event_id": delivery.event_id,
        "destination": delivery.destination,
        "attempt": job.attempts + 1,
        "outcome": label,
        "status": response.status,
        "error": response.error,
        "duration_ms": response.duration_ms,
        "seconds": round(outcome.delay.total_seconds()) if isinstance(outcome, Retry) else None,
    }
    log.log(level, "delivery.attempted", extra=fields)
    span.end(fields)


def _count(delivery: Delivery, event: Event, outcome: Outcome, gateway: Gateway) -> None:
    label, _ = OUTCOMES[type(outcome)]
    gateway.metrics.delivery_attempted(destination=delivery.destination, outcome=label)
    if isinstance(outcome, Done) and not delivery.has_succeeded:
        lag = gateway.clock() - event.received_at
        gateway.metrics.event_delivered(destination=delivery.destination, seconds=max(0.0, lag.total_seconds()))
