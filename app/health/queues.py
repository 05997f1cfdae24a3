"""What waits in each lane. Receipts are the queue of splitting; the standing jobs themselves are no work."""

from app.domain.job import SPLIT_LANE, STANDING_LANES
from app.domain.queue import LaneDepth
from app.store import ReceiptCounts


def queues_of(depths: list[LaneDepth], receipts: ReceiptCounts) -> list[LaneDepth]:
    """Splitting first, then every lane that has something open."""
    splitting = LaneDepth(SPLIT_LANE, receipts.pending, 0, receipts.oldest_pending_at)
    return [splitting, *(depth for depth in depths if depth.lane not in STANDING_LANES)]
