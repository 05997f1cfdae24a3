"""The composition root: the only place that knows dry-run or live and SQLite or PostgreSQL, and makes the parts."""

from app.assembly.gateway import MEGABYTE, build_gateway, fake_meta_of, load_code, open_gateway, tune_runtime
from app.assembly.queues import build_queues, build_worker

__all__ = [
    "MEGABYTE",
    "build_gateway",
    "build_queues",
    "build_worker",
    "fake_meta_of",
    "load_code",
    "open_gateway",
    "tune_runtime",
]
