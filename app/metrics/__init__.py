"""Counters for Prometheus, shared by the processes of a run. An error in them costs no answer and no process."""

from app.metrics.counters import Metrics

__all__ = ["Metrics"]
