"""Receipts: taking them in, telling of them, and those that wait to be split."""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.domain.receipt import NewReceipt, Receipt, ReceiptState, Stored
from app.domain.split import PendingReceipt
from app.store.engine import postgres
from app.store.engine.group_commit import Drain, GroupCommit
from app.store.repository import Repository, StoreContext
from app.store.tables.receipts import (
    ReceiptCounts,
    count_receipts,
    get_body,
    get_receipt,
    has_pending,
    page_of_receipts,
    pending_receipts,
    reason_of,
    reprocess_receipt,
    row_id_of,
)
from app.store.transactions.add_receipts import add_receipts


class Receipts(Repository):
    """What Meta sent, byte for byte."""

    def __init__(self, store: StoreContext) -> None:
        super().__init__(store)
        self._group: GroupCommit[NewReceipt, Stored] | None = None

    def open(self, *, cooperative: bool) -> None:
        self._group = GroupCommit(self._add) if cooperative else None

    def close(self) -> None:
        if self._group is not None:
            self._group.close()
        self._group = None

    def add(self, receipt: NewReceipt) -> Stored:
        """Keep one receipt, together with those that other greenlets add; it is durable on return."""
        self._store.refuse_on_full_disk()
        if self._group is None:
            return self.add_all([receipt])[0]
        return self._group.add(receipt, len(receipt.body))

    def add_all(self, new: Sequence[NewReceipt]) -> list[Stored]:
        """Keep several receipts in one transaction; they are durable on return."""
        return self._add(lambda: new)

    def get(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id, if there is one."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: get_receipt(c, row_id))

    def body(self, receipt_id: str) -> bytes | None:
        """The exact bytes that Meta sent."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: get_body(c, row_id))

    def page(self, *, state: ReceiptState | None, before: str | None, limit: int) -> list[Receipt]:
        """Receipts from the newest to the oldest; those older than the receipt `before`."""
        row_id = None if before is None else row_id_of(before) or 0
        return self._store.database.read(lambda c: page_of_receipts(c, state=state, before=row_id, limit=limit))

    def counts(self) -> ReceiptCounts:
        """How many receipts stand where."""
        return self._store.database.read(count_receipts)

    def reprocess(self, receipt_id: str) -> Receipt | None:
        """Put a receipt back in line, to be split again."""
        row_id = row_id_of(receipt_id)
        if row_id is None:
            return None

        def reprocess(connection: Connection) -> Receipt | None:
            reprocess_receipt(connection, row_id)
            return get_receipt(connection, row_id)

        return self._store.write_and_notify(reprocess, "work")

    def pending(self, *, limit: int, max_bytes: int) -> list[PendingReceipt]:
        """Those that wait to be split, oldest first: as many as fit into so many bytes, at least one if any waits."""
        return self._store.database.read(lambda c: pending_receipts(c, limit, max_bytes))

    def has_pending(self) -> bool:
        """Tells whether any waits to be split."""
        return self._store.database.read(has_pending)

    def reason(self, receipt_id: str) -> str | None:
        """Why this one cannot be read, if so."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: reason_of(c, row_id))

    def _add(self, drain: Drain[NewReceipt]) -> list[Stored]:
        def add(connection: Connection) -> list[Stored]:
            if connection.dialect.name == "postgresql":
                postgres.serialize_receipt_inserts(connection)
            return add_receipts(connection, drain())

        with self._store.last_commit.noted():
            return self._store.write_and_notify(add, "work")
