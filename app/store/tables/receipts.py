"""Receipts as values: one, a page of them, their bodies, their counts, and those that wait to be split."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, select, update

from app.domain.receipt import RECEIPT_ID, Receipt, ReceiptState
from app.domain.split import PendingReceipt
from app.domain.trace import TraceContext
from app.store.engine.one_of import one_of
from app.store.tables.schema import receipt_errors, receipts
from app.store.tables.types import MAX_ROW_ID, chunks

_COLUMNS = [column for column in receipts.columns if column.name not in ("digest", "body", "trace")]
_FIRST_AND_LAST = select(
    select(func.min(receipts.c.id)).scalar_subquery().label("first"),
    select(func.max(receipts.c.id)).scalar_subquery().label("last"),
)
"""Two subqueries, because SQLite reads a whole index for a query that asks for both."""


def has_state(state: ReceiptState) -> ColumnElement[bool]:
    """Return the condition that a receipt is in this state.

    The value is part of the SQL text: SQLite uses a partial index only if the query repeats its condition.
    """
    return receipts.c.state == bindparam(None, state.value, literal_execute=True)


def is_erased() -> ColumnElement[bool]:
    """Return the condition that a receipt's body was erased, because it named an erased contact.

    The row stays, so that the same bytes are recognised if Meta sends them again.
    """
    return and_(receipts.c.size > 0, func.length(receipts.c.body) == 0)


_ERASED = is_erased().label("erased")
_IS_PENDING = has_state(ReceiptState.PENDING)
_ANY_PENDING = select(receipts.c.id).where(_IS_PENDING).limit(1)
_PENDING_SIZES = (
    select(receipts.c.id, receipts.c.size).where(_IS_PENDING).order_by(receipts.c.id).limit(bindparam("n"))
)
_BODIES = (
    select(receipts.c.id, receipts.c.received_at, receipts.c.sha256, receipts.c.body, receipts.c.trace)
    .where(one_of(receipts.c.id, "ids"))
    .order_by(receipts.c.id)
)
_LOCK = select(receipts.c.id).where(one_of(receipts.c.id, "ids")).order_by(receipts.c.id).with_for_update()


@dataclass(frozen=True)
class ReceiptCounts:
    """How many receipts are in which state. `total` is an upper bound: the number of ids given out, not of rows."""

    total: int
    pending: int
    unreadable: int
    oldest_pending_at: datetime | None
    last_received_at: datetime | None


def get_receipt(connection: Connection, row_id: int) -> Receipt | None:
    """Return the receipt with this id."""
    row = connection.execute(select(*_COLUMNS, _ERASED).where(receipts.c.id == row_id)).one_or_none()
    return None if row is None else _receipt(row)


def get_body(connection: Connection, row_id: int) -> bytes | None:
    """Return the exact bytes of a receipt, or None if its body was cleared."""
    query = select(receipts.c.body).where(receipts.c.id == row_id, ~is_erased())
    body = connection.execute(query).scalar_one_or_none()
    return None if body is None else bytes(body)


def page_of_receipts(
    connection: Connection, *, state: ReceiptState | None, before: int | None, limit: int
) -> list[Receipt]:
    """Return receipts from the newest to the oldest, all of them older than `before`."""
    query = select(*_COLUMNS, _ERASED).order_by(receipts.c.id.desc()).limit(limit)
    if state is ReceiptState.DISMISSED:  # few, and each has a reason: an index of their own would lock the table
        query = query.where(receipts.c.id.in_(select(receipt_errors.c.receipt)))
    if state is not None:
        query = query.where(has_state(state))
    if before is not None:
        query = query.where(receipts.c.id < before)
    return [_receipt(row) for row in connection.execute(query)]


def count_receipts(connection: Connection) -> ReceiptCounts:
    """Count by the ends of indexes: a million receipts cost as much as ten."""
    first, last = connection.execute(_FIRST_AND_LAST).one()
    return ReceiptCounts(
        total=0 if last is None else last - first + 1,
        pending=_count(connection, ReceiptState.PENDING),
        unreadable=_count(connection, ReceiptState.UNREADABLE),
        oldest_pending_at=_oldest_pending(connection),
        last_received_at=_received_at(connection, last),
    )


def get_reason(connection: Connection, row_id: int) -> str | None:
    """Return why a receipt is unreadable, or None if it is not."""
    query = select(receipt_errors.c.reason).where(receipt_errors.c.receipt == row_id)
    return connection.execute(query).scalar_one_or_none()


def has_pending(connection: Connection) -> bool:
    """Return whether any receipt waits to be split."""
    return connection.execute(_ANY_PENDING).first() is not None


def pending_receipts(connection: Connection, limit: int, max_bytes: int) -> list[PendingReceipt]:
    """Return the oldest pending receipts, as many as fit into `max_bytes`, but at least one.

    Their sizes are read first, so that no body is read and then left out.
    """
    rows = connection.execute(_PENDING_SIZES, {"n": limit}).all()
    if not rows:
        return []
    totals = accumulate(row.size for row in rows)
    fitting = max(1, sum(1 for _ in takewhile(lambda total: total <= max_bytes, totals)))
    bodies = connection.execute(_BODIES, {"ids": [row.id for row in rows[:fitting]]})
    return [
        PendingReceipt(
            f"rcp_{row.id}", row.received_at, bytes(row.sha256), bytes(row.body), TraceContext.unpack(row.trace)
        )
        for row in bodies
    ]


def lock_receipts(connection: Connection, row_ids: Collection[int]) -> None:
    """Lock these receipts until the transaction ends, in the order of their ids."""
    for ids in chunks(sorted(row_ids)):
        connection.execute(_LOCK, {"ids": ids})


def reprocess_receipt(connection: Connection, row_id: int) -> None:
    """Make a receipt pending again, unless its body was cleared: then there is nothing to split."""
    query = update(receipts).where(receipts.c.id == row_id, ~is_erased())
    if connection.execute(query.values(state=ReceiptState.PENDING.value)).rowcount:
        connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt == row_id))


def row_id_of(public_id: str) -> int | None:
    """Return the row id in a receipt's public id, or None if it is not such an id."""
    match = RECEIPT_ID.fullmatch(public_id)
    row_id = int(match[1]) if match else 0
    return row_id if 0 < row_id <= MAX_ROW_ID else None


def _receipt(row: Row[*tuple[Any, ...]]) -> Receipt:
    return Receipt(
        id=f"rcp_{row.id}",
        received_at=row.received_at,
        size=row.size,
        sha256=bytes(row.sha256).hex(),
        state=ReceiptState(row.state),
        events=row.events,
        duplicates=row.duplicates,
        differing=row.differing,
        signed_with=row.signed_with,
        erased=bool(row.erased),
    )


def _count(connection: Connection, state: ReceiptState) -> int:
    return connection.execute(select(func.count()).select_from(receipts).where(has_state(state))).scalar_one()


def _oldest_pending(connection: Connection) -> datetime | None:
    oldest = connection.execute(select(func.min(receipts.c.id)).where(_IS_PENDING)).scalar_one()
    return _received_at(connection, oldest)


def _received_at(connection: Connection, row_id: int | None) -> datetime | None:
    if row_id is None:
        return None
    return connection.execute(select(receipts.c.received_at).where(receipts.c.id == row_id)).scalar_one_or_none()
