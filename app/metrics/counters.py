"""The counters of a process: one method for each thing that is counted, and their text for Prometheus.

Gauges of what the database holds are read at each scrape, in `app.health.gauges`.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.domain.receipt import Stored
from app.domain.split import SplitCount
from app.metrics.counter_files import CounterFiles, SharedValue

log = logging.getLogger(__name__)

P = ParamSpec("P")
M = TypeVar("M", bound=MetricWrapperBase)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)

values.ValueClass = SharedValue  # as prometheus_client's documentation describes


class SharedFolder(Protocol):
    """A folder in which the processes of a run share their counters."""

    @property
    def path(self) -> Path: ...

    def counted_together(self) -> list[Path]:
        """Return the folders whose counters are shown together."""


def _counting(count: Callable[Concatenate["Metrics", P], None]) -> Callable[Concatenate["Metrics", P], None]:
    """Make an error in counting cost the count and nothing else. It is logged once."""
    has_failed = False

    @wraps(count)
    def count_or_log(self: "Metrics", /, *args: P.args, **kwargs: P.kwargs) -> None:
        nonlocal has_failed
        try:
            count(self, *args, **kwargs)
        except Exception as error:  # only the store decides whether a webhook is answered
            if not has_failed:
                has_failed = True
                log.error("metrics.failed", exc_info=error)

    return count_or_log


class _Labelled(dict[tuple[str, ...], M]):
    """The children of a metric by the values of their labels. To look one up at the metric costs more than to add."""

    def __init__(self, metric: M) -> None:
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> M:
        child = self[labels] = self._metric.labels(*labels)
        return child


class Metrics:
    """The counters of this process.

    With a folder the other processes of the run see them too. prometheus_client knows one place for the numbers of a
    process: the folder of the newest `Metrics` counts.
    """

    def __init__(self, folder: SharedFolder | None = None) -> None:
        self.share(folder)

    def share(self, folder: SharedFolder | None) -> None:
        """Begin to count, in files of this process if there is a folder. A forked process must: it inherits none."""
        self._folder = folder
        self._files = SharedValue.files = None if folder is None else CounterFiles(folder.path)
        self._registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=self._registry), partial(Histogram, registry=self._registry)
        webhooks = counter("wats_webhooks", "Webhooks verified and stored, by outcome.", ["outcome"])
        self._stored = {outcome: webhooks.labels(outcome.value) for outcome in Stored}
        self._refused = counter(
            "wats_webhooks_refused", "Requests to Meta's route that were refused, by reason.", ["reason"]
        )
        of_requests = "HTTP requests by route, method and status."
        self._requests = _Labelled(
            histogram("wats_http_request_seconds", of_requests, ["route", "method", "status"], buckets=SECONDS)
        )
        self._events = counter("wats_events", "Events split out of receipts, by outcome.", ["outcome"])
        self._unreadable = counter("wats_unreadable_receipts", "Receipts that could not be read.")
        of_attempts = "Attempts to deliver, by destination and outcome."
        self._attempts = _Labelled(counter("wats_delivery_attempts", of_attempts, ["destination", "outcome"]))
        of_lag = "From the receipt of an event until its first delivery, by destination."
        self._lag = _Labelled(histogram("wats_delivery_lag_seconds", of_lag, ["destination"], buckets=LAG_SECONDS))
        self._sends = counter("wats_message_attempts", "POSTs of messages to Meta, by outcome.", ["outcome"])
        self._lines_lost = counter("wats_log_lines_lost", "Log lines that could not be written and were given up.")
        self._spans_lost = counter("wats_spans_lost", "Spans that were not exported to OpenTelemetry, and given up.")

    @_counting
    def webhook_stored(self, outcome: Stored) -> None:
        """Count a webhook that is stored durably."""
        self._stored[outcome].inc()

    @_counting
    def webhook_refused(self, *, reason: str) -> None:
        """Count a refused request of Meta's route."""
        self._refused.labels(reason).inc()

    @_counting
    def request_answered(self, *, route: str, method: str, status: str, seconds: float) -> None:
        """Count an answered request and its duration. `route` is a template, never a path."""
        self._requests[route, method, status].observe(seconds)

    @_counting
    def message_attempted(self, *, outcome: str) -> None:
        """Count a POST of a message."""
        self._sends.labels(outcome).inc()

    @_counting
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

    @_counting
    def receipt_unreadable(self) -> None:
        """Count a receipt that could not be read."""
        self._unreadable.inc()

    @_counting
    def delivery_attempted(self, *, destination: str, outcome: str) -> None:
        """Count an attempt to deliver."""
        self._attempts[destination, outcome].inc()

    @_counting
    def event_delivered(self, *, destination: str, seconds: float) -> None:
        """Count an event's first delivery, and the seconds since its receipt."""
        self._lag[destination,].observe(seconds)

    @_counting
    def log_lines_lost(self, lines: int) -> None:
        """Count log lines that were given up."""
        self._lines_lost.inc(lines)

    @_counting
    def spans_lost(self, spans: int) -> None:
        """Count spans that were given up."""
        self._spans_lost.inc(spans)

    def exposition(self, gauges: Iterable[Metric]) -> bytes:
        """Return the counters of every process that shares them, and these gauges, in Prometheus' text format."""
        shared = self._files.merged(self._folder.counted_together()) if self._files and self._folder else None
        registry = CollectorRegistry()
        registry.register(_Collected(gauges))
        registry.register(_Collected(self._registry.collect() if shared is None else shared))
        return generate_latest(registry)


class _Collected(Collector):
    """Passes on metrics that were collected elsewhere."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
