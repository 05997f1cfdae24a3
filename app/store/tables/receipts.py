"""Receipts as they are told: one, a page of them, their bytes, how many stand where."""

from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, takewhile

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, select, update

from app.domain.receipt import RECEIPT_ID, Receipt, ReceiptState
from app.domain.split import PendingReceipt
from app.store.tables.schema import receipt_errors, receipts

BIGGEST_ID = 2**63 - 1
_SHOWN = [column for column in receipts.columns if column.name not in ("digest", "body")]
_ENDS = select(
    select(func.min(receipts.c.id)).scalar_subquery().label("first"),
    select(func.max(receipts.c.id)).scalar_subquery().label("last"),
)
"""One by one: SQLite would read a whole index for both at once."""


@dataclass(frozen=True)
class ReceiptCounts:
    """How many receipts stand where. `total` is an upper bound: ids given away, not rows counted."""

    total: int
    pending: int
    unreadable: int
    oldest_pending_at: datetime | None
    last_received_at: datetime | None


def get_receipt(connection: Connection, row_id: int) -> Receipt | None:
    """The receipt with this id."""
    row = connection.execute(select(*_SHOWN).where(receipts.c.id == row_id)).one_or_none()
    return None if row is None else _receipt(row)


def get_body(connection: Connection, row_id: int) -> bytes | None:
    """The exact bytes of a receipt, unless they were erased."""
    query = select(receipts.c.body).where(receipts.c.id == row_id, ~is_wiped())
    body = connection.execute(query).scalar_one_or_none()
    return None if body is None else bytes(body)


def page_of_receipts(
    connection: Connection, *, state: ReceiptState | None, before: int | None, limit: int
) -> list[Receipt]:
    """Receipts from the newest to the oldest, those older than `before`."""
    query = select(*_SHOWN).order_by(receipts.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_is(state))
    if before is not None:
        query = query.where(receipts.c.id < before)
    return [_receipt(row) for row in connection.execute(query)]


def count_receipts(connection: Connection) -> ReceiptCounts:
    """What `/status` and `/metrics` tell; by the ends of indexes, so that a million cost no more than ten."""
    first, last = connection.execute(_ENDS).one()
    return ReceiptCounts(
        total=0 if last is None else last - first + 1,
        pending=_count(connection, ReceiptState.PENDING),
        unreadable=_count(connection, ReceiptState.UNREADABLE),
        oldest_pending_at=_oldest_pending(connection),
        last_received_at=_received_at(connection, last),
    )


def reprocess_receipt(connection: Connection, row_id: int) -> None:
    """Put a receipt back in line, unless its bytes were erased: there is nothing left to split."""
    query = update(receipts).where(receipts.c.id == row_id, ~is_wiped())
    if connection.execute(query.values(state=ReceiptState.PENDING.value)).rowcount:
        connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt == row_id))


def is_wiped() -> ColumnElement[bool]:
    """Whether the bytes of a receipt were erased with a customer. The row stays: Meta may send them again."""
    return and_(receipts.c.size > 0, func.length(receipts.c.body) == 0)


def row_id_of(public_id: str) -> int | None:
    """The row that a public id names; None if it is not one of ours."""
    match = RECEIPT_ID.fullmatch(public_id)
    row_id = int(match[1]) if match else 0
    return row_id if 0 < row_id <= BIGGEST_ID else None


def _receipt(row: Row[tuple[object, ...]]) -> Receipt:
    return Receipt(
        id=f"rcp_{row.id}",
        received_at=row.received_at,
        size=row.size,
        sha256=bytes(row.sha256).hex(),
        state=ReceiptState(row.state),
        events=row.events,
        duplicates=row.duplicates,
        signed_with=row.signed_with,
    )


def _is(state: ReceiptState) -> ColumnElement[bool]:
    """In words, not as a parameter: only so SQLite sees that an index of these serves."""
    return receipts.c.state == bindparam(None, state.value, literal_execute=True)


def _count(connection: Connection, state: ReceiptState) -> int:
    return connection.execute(select(func.count()).select_from(receipts).where(_is(state))).scalar_one()


def _oldest_pending(connection: Connection) -> datetime | None:
    oldest = connection.execute(select(func.min(receipts.c.id)).where(_is(ReceiptState.PENDING))).scalar_one()
    return _received_at(connection, oldest)


def _received_at(connection: Connection, row_id: int | None) -> datetime | None:
    if row_id is None:
        return None
    return connection.execute(select(receipts.c.received_at).where(receipts.c.id == row_id)).scalar_one_or_none()


_PENDING = receipts.c.state == bindparam(None, ReceiptState.PENDING.value, literal_execute=True)
_ANY = select(receipts.c.id).where(_PENDING).limit(1)
_SIZES = select(receipts.c.id, receipts.c.size).where(_PENDING).order_by(receipts.c.id).limit(bindparam("few"))
_BODIES = (
    select(receipts.c.id, receipts.c.received_at, receipts.c.sha256, receipts.c.body)
    .where(receipts.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(receipts.c.id)
)


def pending_receipts(connection: Connection, limit: int, max_bytes: int) -> list[PendingReceipt]:
    """The oldest of them. Their sizes are read first, so that no body is read in vain."""
    found = connection.execute(_SIZES, {"few": limit}).all()
    totals = accumulate(row.size for row in found)
    fitting = max(1, sum(1 for _ in takewhile(lambda total: total <= max_bytes, totals)))
    rows = connection.execute(_BODIES, {"ids": [row.id for row in found[:fitting]]})
    return [PendingReceipt(f"rcp_{row.id}", row.received_at, bytes(row.sha256), bytes(row.body)) for row in rows]


def has_pending(connection: Connection) -> bool:
    """Tells whether any waits."""
    return connection.execute(_ANY).first() is not None


def reason_of(connection: Connection, row_id: int) -> str | None:
    """Why a receipt is unreadable."""
    query = select(receipt_errors.c.reason).where(receipt_errors.c.receipt == row_id)
    return connection.execute(query).scalar_one_or_none()
