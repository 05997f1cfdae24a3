"""Receipts that wait to be split: a queue of its own, in the order they were committed."""

from itertools import accumulate, takewhile

from sqlalchemy import Connection, bindparam, select

from app.domain.receipt import ReceiptState
from app.domain.split import PendingReceipt
from app.store.schema import receipt_errors, receipts

_PENDING = receipts.c.state == bindparam(None, ReceiptState.PENDING.value, literal_execute=True)
_ANY = select(receipts.c.id).where(_PENDING).limit(1)
_SIZES = select(receipts.c.id, receipts.c.size).where(_PENDING).order_by(receipts.c.id).limit(bindparam("few"))
_BODIES = (
    select(receipts.c.id, receipts.c.received_at, receipts.c.sha256, receipts.c.body)
    .where(receipts.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(receipts.c.id)
)


def pending_receipts(connection: Connection, limit: int, most_bytes: int) -> list[PendingReceipt]:
    """The oldest of them. Their sizes are read first, so that no body is read in vain."""
    found = connection.execute(_SIZES, {"few": limit}).all()
    totals = accumulate(row.size for row in found)
    fitting = max(1, sum(1 for _ in takewhile(lambda total: total <= most_bytes, totals)))
    rows = connection.execute(_BODIES, {"ids": [row.id for row in found[:fitting]]})
    return [PendingReceipt(f"rcp_{row.id}", row.received_at, bytes(row.sha256), bytes(row.body)) for row in rows]


def has_pending(connection: Connection) -> bool:
    """Tells whether any waits."""
    return connection.execute(_ANY).first() is not None


def reason_of(connection: Connection, row_id: int) -> str | None:
    """Why a receipt is unreadable."""
    query = select(receipt_errors.c.reason).where(receipt_errors.c.receipt == row_id)
    return connection.execute(query).scalar_one_or_none()
