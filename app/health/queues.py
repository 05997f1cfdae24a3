"""What waits in each queue. Receipts are the queue of splitting; the singleton jobs themselves are no work."""

from app.domain.job import SINGLETON_QUEUES, SPLIT_QUEUE
from app.domain.queue import QueueDepth
from app.store import ReceiptCounts


def queues_of(depths: list[QueueDepth], receipts: ReceiptCounts) -> list[QueueDepth]:
    """Splitting first, then every queue that has something open."""
    splitting = QueueDepth(SPLIT_QUEUE, receipts.pending, 0, receipts.oldest_pending_at)
    return [splitting, *(depth for depth in depths if depth.queue not in SINGLETON_QUEUES)]
