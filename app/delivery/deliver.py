"""Delivering: one try of a delivery, from the event to what the store is to write down. It settles nothing itself."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from app.config import Destination
from app.domain.delivery import Delivery
from app.domain.event import Event
from app.domain.event_json import event_json
from app.domain.job import Dead, Done, Job, Outcome, Retry
from app.domain.job_result import Attempt, JobResult
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from app.domain.push_response import PushResponse
from app.domain.retry import outcome_of
from app.domain.standard_webhooks import signing_headers
from app.gateway import Gateway

log = logging.getLogger(__name__)

UNKNOWN_DESTINATION_RETRY = timedelta(hours=1)
OUTCOMES: dict[type[Outcome], tuple[str, int]] = {
    Done: ("delivered", logging.INFO),
    Retry: ("again", logging.WARNING),
    Dead: ("dead", logging.ERROR),
}


def prepare_deliveries(jobs: Sequence[Job], gateway: Gateway) -> list[tuple[Job, Callable[[], JobResult]]]:
    """The task of each claimed job. One whose delivery is gone, erased with its customer, has nothing left to do."""
    found = gateway.store.deliveries.load(jobs) if jobs else {}
    return [(job, partial(_deliver_if_found, job, found.get(job.id), gateway)) for job in jobs]


def _deliver_if_found(job: Job, found: tuple[Delivery, Event] | None, gateway: Gateway) -> JobResult:
    return JobResult(job, Done()) if found is None else deliver(job, *found, gateway)


def deliver(job: Job, delivery: Delivery, event: Event, gateway: Gateway) -> JobResult:
    """Push an event to its destination once. Every push of it has the same id and the same bytes.

    A destination that is no longer in the config is not tried; its deliveries wait for it to come back.
    """
    destination = _configured(delivery.destination, gateway)
    if destination is None:
        return JobResult(job, Retry(UNKNOWN_DESTINATION_RETRY))
    at = gateway.clock()
    body = body_for(destination, event)
    answer = gateway.destinations.post(destination, body, headers_for(destination, event, body, at))
    outcome, effect, retry_after = outcome_of(answer, job.attempts, gateway.jitter())
    _tell(job, delivery, answer, outcome)
    _count(delivery, event, outcome, gateway)
    attempt = Attempt(at, answer.status, answer.error, answer.duration_ms)
    return JobResult(job, outcome, attempt, effect, retry_after, destination.max_in_flight)


def body_for(destination: Destination, event: Event) -> bytes:
    """The event in the destination's format: ASCII, so that whatever a string holds survives."""
    document = meta_envelope(event) if destination.format == "meta" else event_json(event)
    return json.dumps(document, separators=(",", ":")).encode()


def headers_for(destination: Destination, event: Event, body: bytes, at: datetime) -> dict[str, str]:
    """The destination's own headers, and the signature of its format. Meta signs with one secret, and so do we."""
    own = {header.name: header.value for header in destination.headers}
    if destination.format == "meta":
        signature = {SIGNATURE_HEADER: signature_of(body, destination.secret.current)}
    else:
        signature = signing_headers(event.id, at, body, destination.secret.active)
    return {**own, "Content-Type": "application/json", **signature}


def _configured(name: str, gateway: Gateway) -> Destination | None:
    return next((each for each in gateway.settings.destinations if each.name == name), None)


def _tell(job: Job, delivery: Delivery, answer: PushResponse, outcome: Outcome) -> None:
    words, level = OUTCOMES[type(outcome)]
    facts = {
        "delivery_id": delivery.id,
        "event_id": delivery.event_id,
        "destination": delivery.destination,
        "attempt": job.attempts + 1,
        "outcome": words,
        "status": answer.status,
        "error": answer.error,
        "duration_ms": answer.duration_ms,
        "seconds": round(outcome.delay.total_seconds()) if isinstance(outcome, Retry) else None,
    }
    log.log(level, "delivery.attempted", extra=facts)


def _count(delivery: Delivery, event: Event, outcome: Outcome, gateway: Gateway) -> None:
    words, _ = OUTCOMES[type(outcome)]
    gateway.metrics.delivery_attempted(destination=delivery.destination, outcome=words)
    if isinstance(outcome, Done) and not delivery.was_delivered:
        lag = gateway.clock() - event.received_at
        gateway.metrics.event_delivered(destination=delivery.destination, seconds=max(0.0, lag.total_seconds()))
