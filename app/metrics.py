"""What is counted, for Prometheus. Over several processes the counts are summed in a directory of files.

The directory is named by `PROMETHEUS_MULTIPROC_DIR` before this module is imported (gunicorn.conf.py sees to
it); without it the counts live in this process alone. What the database knows is asked when a scrape comes.
"""

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

from app.domain.receipt import Stored

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)


class Metrics:
    """The counters of this process. Labelled children are kept: finding one costs more than adding to it."""

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
            "Pushes that were tried, by destination and what became of them.",
            ["destination", "outcome"],
        )
        self._lag = histogram(
            "wats_delivery_lag_seconds",
            "From the receipt of an event to its first delivery, by destination.",
            ["destination"],
            buckets=LAG_SECONDS,
        )
        self._stored = {outcome: self._webhooks.labels(outcome.value) for outcome in Stored}
        self._observers: dict[tuple[str, str, str], Histogram] = {}
        self._tried: dict[tuple[str, str], Counter] = {}
        self._lags: dict[str, Histogram] = {}

    def webhook_stored(self, outcome: Stored) -> None:
        """Count a webhook that is durable."""
        self._stored[outcome].inc()

    def request_answered(self, *, route: str, method: str, status: str, seconds: float) -> None:
        """Count a request that was answered and how long that took. `route` is a template, never a path."""
        labels = (route, method, status)
        observer = self._observers.get(labels)
        if observer is None:
            observer = self._observers[labels] = self._requests.labels(*labels)
        observer.observe(seconds)

    def receipt_split(self, *, new: int, duplicates: int, foreign: int) -> None:
        """Count the events of a receipt: new ones (of which so many are foreign), and those that were known."""
        for outcome, number in (("new", new - foreign), ("foreign", foreign), ("duplicate", duplicates)):
            self._events.labels(outcome).inc(number)

    def receipt_unreadable(self) -> None:
        """Count a receipt that could not be read."""
        self._unreadable.inc()

    def delivery_tried(self, *, destination: str, outcome: str) -> None:
        """Count a push and what became of it."""
        labels = (destination, outcome)
        counter = self._tried.get(labels)
        if counter is None:
            counter = self._tried[labels] = self._attempts.labels(*labels)
        counter.inc()

    def event_delivered(self, *, destination: str, seconds: float) -> None:
        """Count an event that was delivered, so long after it was received."""
        observer = self._lags.get(destination)
        if observer is None:
            observer = self._lags[destination] = self._lag.labels(destination)
        observer.observe(seconds)

    def exposition(self, asked: Iterable[Metric]) -> bytes:
        """Prometheus' text format: every process's counts, and what was just asked of the database."""
        registry = CollectorRegistry()
        registry.register(_Asked(asked))
        if ValueClass is MutexValue:
            registry.register(_Counts(self._registry))
        else:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class _Asked(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


class _Counts(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()
