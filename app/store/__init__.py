"""The store: everything the gateway remembers, on SQLite or PostgreSQL, by one implementation.

The only package with SQL. When a durable write returns, it is on disk.
"""

from app.store.attention import Signs
from app.store.consumers import MAX_CONSUMERS, Consumer
from app.store.engine.database import Limits
from app.store.engine.driver import load_driver
from app.store.engine.errors import (
    ClaimLost,
    StoreBroken,
    StoreError,
    StoreNotOurs,
    StoreRefused,
    StoreUnavailable,
    StoreUnreachable,
    cure_of_reason,
)
from app.store.engine.group_commit import Drain, GroupCommit
from app.store.migrations.upgrade import SchemaStatus
from app.store.store import Store
from app.store.tables.conversations import Conversation
from app.store.tables.events import EventCounts
from app.store.tables.message_list import MessagePlace, MessageQuery
from app.store.tables.messages import MessageCounts
from app.store.tables.receipts import ReceiptCounts
from app.store.transactions.prune import PruneStep
from app.store.transactions.prune_messages import EarlyStatusesKept

__all__ = [
    "MAX_CONSUMERS",
    "ClaimLost",
    "Consumer",
    "Conversation",
    "Drain",
    "EarlyStatusesKept",
    "EventCounts",
    "GroupCommit",
    "Limits",
    "MessageCounts",
    "MessagePlace",
    "MessageQuery",
    "PruneStep",
    "ReceiptCounts",
    "SchemaStatus",
    "Signs",
    "Store",
    "StoreBroken",
    "StoreError",
    "StoreNotOurs",
    "StoreRefused",
    "StoreUnavailable",
    "StoreUnreachable",
    "cure_of_reason",
    "load_driver",
]
