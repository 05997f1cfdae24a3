"""Metrics of what the store holds. They are read at each scrape: each web process reports the same values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.domain.alert import Alert
from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, DestinationStatus
from app.gateway import Gateway
from app.health.alert_kinds import ALERT_KINDS
from app.health.alerts import alerts_of_checks, current_alerts
from app.health.machine_gauges import machine_gauges
from app.health.snapshot import Snapshot, take_snapshot
from app.store import MAX_CONSUMERS, Consumer, EventCounts, MessageCounts, StoreError

MAX_SUBJECTS = 20
OTHERS = "others"
ATTENTION = "Current alerts, by code and by what they are about; `flask wats runbook CODE` says what to do."


def read_gauges(
    gateway: Gateway, checks: Mapping[str, str], *, store_failed_recently: bool = False
) -> Iterator[Metric]:
    """Read the store and yield its gauges. If it is unavailable, yield only that, and alerts of failed checks."""
    yield from machine_gauges(gateway)
    up = GaugeMetricFamily("wats_store_up", "Whether the store answers.", 1)
    try:
        snapshot = take_snapshot(gateway)
        consumers = gateway.store.consumers.page(after=None, limit=MAX_CONSUMERS)
    except StoreError:
        yield GaugeMetricFamily(up.name, up.documentation, 0)
        yield attention_gauge(alerts_of_checks(checks))
        return
    yield up
    yield attention_gauge(current_alerts(checks, snapshot, store_failed_recently=store_failed_recently))
    yield from _worker_gauges(snapshot)
    yield from _consumer_gauges(snapshot, consumers)
    yield from _receipt_gauges(snapshot)
    yield from _event_gauges(snapshot.events)
    yield from _queue_gauges(snapshot)
    yield _duplicate_sends(snapshot.messages)
    yield _dead_letter_gauge(snapshot.deliveries)
    yield _destination_state_gauge(snapshot.destinations)
    yield from _destination_time_gauges(snapshot)


def attention_gauge(alerts: Iterable[Alert]) -> Metric:
    """Return 1 for each current alert; 0, without a subject, for a kind without a current alert.

    Subjects come from the config and from Meta, and each is a time series: of one kind only the first few have one.
    """
    counts = Counter({(kind.code, ""): 0 for kind in ALERT_KINDS})
    subjects: Counter[str] = Counter()
    for alert in alerts:
        subjects[alert.code] += 1
        counts[alert.code, alert.subject if subjects[alert.code] <= MAX_SUBJECTS else OTHERS] += 1
    gauge = GaugeMetricFamily("wats_attention", ATTENTION, labels=["alert", "subject"])
    for labels, count in counts.items():
        gauge.add_metric(labels, count)
    return gauge


def _worker_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    fresh = [worker for worker in snapshot.workers if worker.is_fresh(snapshot.now)]
    yield GaugeMetricFamily("wats_workers", "Workers that are alive, on all machines.", len(fresh))
    if snapshot.workers:
        age = snapshot.age(max(worker.at for worker in snapshot.workers)) or 0.0
        text = "Seconds since a worker gave a sign of life last; without one there is no such metric."
        yield GaugeMetricFamily("wats_worker_heartbeat_age_seconds", text, age)


def _consumer_gauges(snapshot: Snapshot, consumers: Iterable[Consumer]) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "wats_consumer_lag_events", "Upper bound of the events that a consumer has not read.", labels=["consumer"]
    )
    oldest = GaugeMetricFamily(
        "wats_consumer_oldest_unread_seconds", "Age of the oldest event it has not read; else 0.", labels=["consumer"]
    )
    for consumer in consumers:
        lag.add_metric([consumer.name], consumer.lag)
        oldest.add_metric([consumer.name], snapshot.age(consumer.oldest_unread_at) or 0.0)
    yield lag
    yield oldest


def _receipt_gauges(snapshot: Snapshot) -> Iterator[Metric]:
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


def _event_gauges(counts: EventCounts) -> Iterator[Metric]:
    yield GaugeMetricFamily("wats_stored_events", "Upper bound of the number of stored events.", counts.total)
    yield GaugeMetricFamily(
        "wats_foreign_events", "Stored events of accounts or numbers that were not in the profile.", counts.foreign
    )


def _queue_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    depths = GaugeMetricFamily(
        "wats_queue_depth", "Open jobs by queue; for `split`, pending receipts.", labels=["queue", "state"]
    )
    oldest = GaugeMetricFamily(
        "wats_queue_oldest_seconds",
        "Seconds since the oldest open job (for `split`, pending receipt) became due; 0 if none is due.",
        labels=["queue"],
    )
    for depth in snapshot.queues:
        depths.add_metric([depth.queue, "waiting"], depth.waiting)
        depths.add_metric([depth.queue, "in_flight"], depth.in_flight)
        oldest.add_metric([depth.queue], snapshot.age(depth.oldest_due_at) or 0.0)
    yield depths
    yield oldest


def _duplicate_sends(counts: MessageCounts) -> Metric:
    return CounterMetricFamily(
        "wats_duplicate_sends", "Stored messages that Meta has accepted twice; it must stay 0.", counts.sent_twice
    )


def _dead_letter_gauge(counts: dict[str, DeliveryCounts]) -> Metric:
    dead = GaugeMetricFamily("wats_dead_letters", "Deliveries that were given up.", labels=["destination"])
    for name, count in counts.items():
        dead.add_metric([name], count.dead)
    return dead


def _destination_state_gauge(destinations: list[DestinationStatus]) -> Metric:
    """Return a gauge that is 1 for a destination's current state and 0 for the others."""
    states = GaugeMetricFamily(
        "wats_destination_state", "1 for the state that a destination is in.", labels=["destination", "state"]
    )
    for destination in destinations:
        for state in DestinationState:
            states.add_metric([destination.name, state.value], destination.state is state)
    return states


def _destination_time_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    oldest = GaugeMetricFamily(
        "wats_oldest_undelivered_seconds",
        "Age of the oldest event that a destination has not accepted yet; 0 if there is none.",
        labels=["destination"],
    )
    paused = GaugeMetricFamily(
        "wats_destination_paused_timestamp_seconds", "When a paused destination was paused.", labels=["destination"]
    )
    for destination in snapshot.destinations:
        oldest.add_metric([destination.name], snapshot.age(destination.oldest_undelivered_at) or 0.0)
        if destination.paused_at is not None:
            paused.add_metric([destination.name], destination.paused_at.timestamp())
    yield oldest
    yield paused
