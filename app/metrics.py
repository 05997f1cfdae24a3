"""Counters for Prometheus. Several processes share their counters through a directory of files.

`PROMETHEUS_MULTIPROC_DIR` names the directory; gunicorn.conf.py sets it before this module is imported. Without it
each process has its own counters. Gauges of what the database holds are read at each scrape, in `app.health.gauges`.
"""

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

from app.domain.receipt import Stored
from app.domain.split import SplitCount

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)


class Metrics:
    """The counters of this process. Labelled children are cached: to look one up costs more than to add to it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=self._registry), partial(Histogram, registry=self._registry)
        self._webhooks = counter("wats_webhooks", "Webhooks verified and stored, by outcome.", ["outcome"])
        self._requests = histogram(
            "wats_http_request_seconds",
            "HTTP requests by route, method and status.",
            ["route", "method", "status"],
            buckets=SECONDS,
        )
        self._events = counter("wats_events", "Events split out of receipts, by outcome.", ["outcome"])
        self._unreadable = counter("wats_unreadable_receipts", "Receipts that could not be read.")
        self._attempts = counter(
            "wats_delivery_attempts",
            "Attempts to deliver, by destination and outcome.",
            ["destination", "outcome"],
        )
        self._lag = histogram(
            "wats_delivery_lag_seconds",
            "From the receipt of an event until its first delivery, by destination.",
            ["destination"],
            buckets=LAG_SECONDS,
        )
        self._lines_lost = counter("wats_log_lines_lost", "Log lines that could not be written and were given up.")
        self._stored = {outcome: self._webhooks.labels(outcome.value) for outcome in Stored}
        self._request_observers: dict[tuple[str, str, str], Histogram] = {}
        self._attempt_counters: dict[tuple[str, str], Counter] = {}
        self._lag_observers: dict[str, Histogram] = {}

    def webhook_stored(self, outcome: Stored) -> None:
        """Count a webhook that is stored durably."""
        self._stored[outcome].inc()

    def request_answered(self, *, route: str, method: str, status: str, seconds: float) -> None:
        """Count an answered request and its duration. `route` is a template, never a path."""
        labels = (route, method, status)
        observer = self._request_observers.get(labels)
        if observer is None:
            observer = self._request_observers[labels] = self._requests.labels(*labels)
        observer.observe(seconds)

    def receipt_split(self, count: SplitCount, *, foreign: int) -> None:
        """Count the events of a receipt; `foreign` of the new ones are foreign."""
        outcomes = {
            "new": count.new - foreign,
            "foreign": foreign,
            "duplicate": count.duplicates - count.differing,
            "differing": count.differing,
        }
        for outcome, number in outcomes.items():
            self._events.labels(outcome).inc(number)

    def receipt_unreadable(self) -> None:
        """Count a receipt that could not be read."""
        self._unreadable.inc()

    def delivery_attempted(self, *, destination: str, outcome: str) -> None:
        """Count an attempt to deliver."""
        labels = (destination, outcome)
        counter = self._attempt_counters.get(labels)
        if counter is None:
            counter = self._attempt_counters[labels] = self._attempts.labels(*labels)
        counter.inc()

    def event_delivered(self, *, destination: str, seconds: float) -> None:
        """Count an event's first delivery, and the seconds since its receipt."""
        observer = self._lag_observers.get(destination)
        if observer is None:
            observer = self._lag_observers[destination] = self._lag.labels(destination)
        observer.observe(seconds)

    def log_lines_lost(self, lines: int) -> None:
        """Count log lines that were given up."""
        self._lines_lost.inc(lines)

    def exposition(self, gauges: Iterable[Metric]) -> bytes:
        """Return the counters of every process, and these gauges, in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(_Collected(gauges))
        if ValueClass is MutexValue:
            registry.register(_Collected(self._registry.collect()))
        else:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class _Collected(Collector):
    """Passes on metrics that were collected elsewhere."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
