"""Gauges that the database knows: asked when Prometheus asks, so that they are right for every process."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.gateway import Gateway
from app.store import StoreUnavailable


def ask_gauges(gateway: Gateway) -> Iterator[Metric]:
    """What stands in the store. When the store cannot tell, only that is told."""
    try:
        counts = gateway.store.receipts.counts()
    except StoreUnavailable:
        yield GaugeMetricFamily("wats_store_up", "Whether the store answers.", 0)
        return
    yield GaugeMetricFamily("wats_store_up", "Whether the store answers.", 1)
    receipts = GaugeMetricFamily("wats_receipts", "Receipts by state.", labels=["state"])
    receipts.add_metric(["pending"], counts.pending)
    receipts.add_metric(["unreadable"], counts.unreadable)
    yield receipts
    if counts.last_received_at is not None:
        last = counts.last_received_at.timestamp()
        yield GaugeMetricFamily("wats_last_webhook_timestamp_seconds", "When the last webhook came.", last)
    age = 0.0
    if counts.oldest_pending_at is not None:
        age = (gateway.clock() - counts.oldest_pending_at).total_seconds()
    yield GaugeMetricFamily("wats_oldest_pending_receipt_seconds", "Age of the oldest receipt not yet split.", age)
