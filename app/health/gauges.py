"""Gauges that the database knows: asked when Prometheus asks, so that they are right for every process."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, destination_statuses
from app.domain.queue import QueueDepth
from app.gateway import Gateway
from app.health.queues import queues_of
from app.store import EventCounts, ReceiptCounts, StoreUnavailable


def ask_gauges(gateway: Gateway) -> Iterator[Metric]:
    """What stands in the store. When the store cannot tell, only that is told."""
    up = GaugeMetricFamily("wats_store_up", "Whether the store answers.", 1)
    try:
        known = list(_ask(gateway))
    except StoreUnavailable:
        yield GaugeMetricFamily(up.name, up.documentation, 0)
        return
    yield up
    yield from known


def _ask(gateway: Gateway) -> Iterator[Metric]:
    store, now = gateway.store, gateway.clock()
    receipts, deliveries = store.receipts.counts(), store.deliveries.counts()
    yield from _of_receipts(receipts, now)
    yield from _of_events(store.events.counts())
    yield from _of_queues(queues_of(store.jobs.depths(), receipts), now)
    yield _dead_letters(deliveries)
    yield _states(gateway, deliveries)


def _of_receipts(counts: ReceiptCounts, now: datetime) -> Iterator[Metric]:
    receipts = GaugeMetricFamily("wats_receipts", "Receipts by state.", labels=["state"])
    receipts.add_metric(["pending"], counts.pending)
    receipts.add_metric(["unreadable"], counts.unreadable)
    yield receipts
    if counts.last_received_at is not None:
        last = counts.last_received_at.timestamp()
        yield GaugeMetricFamily("wats_last_webhook_timestamp_seconds", "When the last webhook came.", last)
    age = _age(counts.oldest_pending_at, now)
    yield GaugeMetricFamily("wats_oldest_pending_receipt_seconds", "Age of the oldest receipt not yet split.", age)


def _of_events(counts: EventCounts) -> Iterator[Metric]:
    yield GaugeMetricFamily("wats_stored_events", "Events in the store, at most.", counts.total)
    yield GaugeMetricFamily("wats_foreign_events", "Stored events of numbers that were not ours.", counts.foreign)


def _of_queues(depths: list[QueueDepth], now: datetime) -> Iterator[Metric]:
    depth = GaugeMetricFamily("wats_queue_depth", "Open jobs by queue.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "wats_queue_oldest_seconds", "For how long the first open job could have been done.", labels=["queue"]
    )
    for each in depths:
        depth.add_metric([each.queue, "waiting"], each.waiting)
        depth.add_metric([each.queue, "in_flight"], each.in_flight)
        oldest.add_metric([each.queue], _age(each.oldest_due_at, now))
    yield depth
    yield oldest


def _dead_letters(counts: dict[str, DeliveryCounts]) -> Metric:
    dead = GaugeMetricFamily("wats_dead_letters", "Deliveries that were given up.", labels=["destination"])
    for name, count in counts.items():
        dead.add_metric([name], count.dead)
    return dead


def _states(gateway: Gateway, counts: dict[str, DeliveryCounts]) -> Metric:
    """One of the states of a destination is 1, the others are 0."""
    states = GaugeMetricFamily(
        "wats_destination_state",
        "What holds a destination up; `open` is its breaker.",
        labels=["destination", "state"],
    )
    names = [destination.name for destination in gateway.settings.destinations]
    for status in destination_statuses(names, gateway.store.queues.all(), counts):
        for state in DestinationState:
            states.add_metric([status.name, state.value], status.state is state)
    return states


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
