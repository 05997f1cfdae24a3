"""The store: everything the gateway remembers, on SQLite or PostgreSQL, by one implementation.

The only room that speaks SQL. What it promises durable is on disk when a call returns.
"""

from app.store.consumers import Consumer
from app.store.database import Limits
from app.store.errors import ClaimLost, StoreBroken, StoreRefused, StoreUnavailable
from app.store.event_reading import EventCounts
from app.store.group_commit import GroupCommit
from app.store.migrate import SchemaStatus
from app.store.pruning import PruneStep
from app.store.receipt_rows import ReceiptCounts
from app.store.store import Store
from app.store.turn import Take

__all__ = [
    "ClaimLost",
    "Consumer",
    "EventCounts",
    "GroupCommit",
    "Limits",
    "PruneStep",
    "ReceiptCounts",
    "SchemaStatus",
    "Store",
    "StoreBroken",
    "StoreRefused",
    "StoreUnavailable",
    "Take",
]
