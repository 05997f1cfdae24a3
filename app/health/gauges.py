"""Gauges of what the store holds. They are read at each scrape, so that every process shows the same."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, DestinationStatus
from app.gateway import Gateway
from app.health.snapshot import Snapshot, take_snapshot
from app.store import EventCounts, StoreUnavailable


def read_gauges(gateway: Gateway) -> Iterator[Metric]:
    """Read the store and yield its gauges; only `wats_store_up` when the store is unavailable."""
    up = GaugeMetricFamily("wats_store_up", "Whether the store answers.", 1)
    try:
        snapshot = take_snapshot(gateway)
    except StoreUnavailable:
        yield GaugeMetricFamily(up.name, up.documentation, 0)
        return
    yield up
    yield from _of_receipts(snapshot)
    yield from _of_events(snapshot.events)
    yield from _of_queues(snapshot)
    yield _dead_letters(snapshot.deliveries)
    yield _states(snapshot.destinations)


def _of_receipts(snapshot: Snapshot) -> Iterator[Metric]:
    counts = snapshot.receipts
    receipts = GaugeMetricFamily("wats_receipts", "Receipts by state.", labels=["state"])
    receipts.add_metric(["pending"], counts.pending)
    receipts.add_metric(["unreadable"], counts.unreadable)
    yield receipts
    if counts.last_received_at is not None:
        last = counts.last_received_at.timestamp()
        yield GaugeMetricFamily("wats_last_webhook_timestamp_seconds", "When the last webhook came.", last)
    age = snapshot.age(counts.oldest_pending_at) or 0.0
    yield GaugeMetricFamily("wats_oldest_pending_receipt_seconds", "Age of the oldest receipt not yet split.", age)


def _of_events(counts: EventCounts) -> Iterator[Metric]:
    yield GaugeMetricFamily("wats_stored_events", "Events in the store, at most.", counts.total)
    yield GaugeMetricFamily(
        "wats_foreign_events", "Stored events of accounts or numbers that were not in the profile.", counts.foreign
    )


def _of_queues(snapshot: Snapshot) -> Iterator[Metric]:
    depths = GaugeMetricFamily("wats_queue_depth", "Open jobs by queue.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "wats_queue_oldest_seconds", "For how long the first open job has been due.", labels=["queue"]
    )
    for depth in snapshot.queues:
        depths.add_metric([depth.queue, "waiting"], depth.waiting)
        depths.add_metric([depth.queue, "in_flight"], depth.in_flight)
        oldest.add_metric([depth.queue], snapshot.age(depth.oldest_due_at) or 0.0)
    yield depths
    yield oldest


def _dead_letters(counts: dict[str, DeliveryCounts]) -> Metric:
    dead = GaugeMetricFamily("wats_dead_letters", "Deliveries that were given up.", labels=["destination"])
    for name, count in counts.items():
        dead.add_metric([name], count.dead)
    return dead


def _states(destinations: list[DestinationStatus]) -> Metric:
    """Return 1 for the state that a destination is in, 0 for the others."""
    states = GaugeMetricFamily(
        "wats_destination_state", "1 for the state that a destination is in.", labels=["destination", "state"]
    )
    for destination in destinations:
        for state in DestinationState:
            states.add_metric([destination.name, state.value], destination.state is state)
    return states
