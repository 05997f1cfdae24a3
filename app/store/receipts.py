"""Receipts: adding them, reading them, and selecting those that wait to be split."""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.domain.dismissal import DismissStep, Period
from app.domain.receipt import NewReceipt, Receipt, ReceiptState, Stored
from app.domain.split import PendingReceipt
from app.store.engine import postgres
from app.store.engine.group_commit import Drain, GroupCommit
from app.store.repository import Repository, StoreContext
from app.store.tables.receipts import (
    ReceiptCounts,
    count_receipts,
    get_body,
    get_reason,
    get_receipt,
    has_pending,
    page_of_receipts,
    pending_receipts,
    reprocess_receipt,
    row_id_of,
)
from app.store.transactions.add_receipts import add_receipts
from app.store.transactions.dismiss import dismiss_receipts, unreadable_receipts


class Receipts(Repository):
    """The webhooks that Meta sent, byte for byte."""

    def __init__(self, store: StoreContext) -> None:
        super().__init__(store)
        self._group: GroupCommit[NewReceipt, Stored] | None = None

    def open(self, *, cooperative: bool) -> None:
        self._group = GroupCommit(self._write) if cooperative else None

    def close(self) -> None:
        if self._group is not None:
            self._group.close()
        self._group = None

    def add(self, receipt: NewReceipt) -> Stored:
        """Store one receipt, in one transaction with those of other greenlets. It is durable on return."""
        self._store.refuse_on_full_disk()
        if self._group is None:
            return self.add_all([receipt])[0]
        return self._group.add(receipt, len(receipt.body))

    def add_all(self, new: Sequence[NewReceipt]) -> list[Stored]:
        """Store several receipts in one transaction. They are durable on return."""
        return self._write(lambda: new)

    def get(self, receipt_id: str) -> Receipt | None:
        """Return the receipt with this id, if there is one."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: get_receipt(c, row_id))

    def body(self, receipt_id: str) -> bytes | None:
        """Return the exact bytes that Meta sent."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: get_body(c, row_id))

    def page(self, *, state: ReceiptState | None, before: str | None, limit: int) -> list[Receipt]:
        """Return receipts from the newest to the oldest, starting below the receipt `before`."""
        row_id = None if before is None else row_id_of(before) or 0
        return self._store.database.read(lambda c: page_of_receipts(c, state=state, before=row_id, limit=limit))

    def counts(self) -> ReceiptCounts:
        """Count the receipts by state."""
        return self._store.database.read(count_receipts)

    def reprocess(self, receipt_id: str) -> Receipt | None:
        """Mark a receipt as pending, so that it is split again, and return it; None if it does not exist.

        An erased one stays as it is.
        """
        row_id = row_id_of(receipt_id)
        if row_id is None:
            return None

        def reprocess(connection: Connection) -> Receipt | None:
            reprocess_receipt(connection, row_id)
            return get_receipt(connection, row_id)

        return self._store.write(reprocess, "work")

    def dismiss(self, receipt_id: str) -> Receipt | None:
        """Dismiss an unreadable receipt, and return it; None if it does not exist. Any other one stays as it is."""
        row_id = row_id_of(receipt_id)
        if row_id is None:
            return None

        def dismiss(connection: Connection) -> Receipt | None:
            dismiss_receipts(connection, [row_id])
            return get_receipt(connection, row_id)

        return self._store.write(dismiss)

    def dismiss_some(self, chosen: Period, *, after: int, limit: int, is_trial: bool) -> DismissStep:
        """Dismiss the next unreadable receipts of a time, `limit` of them at most; a trial only counts them."""
        query = unreadable_receipts(after, chosen).limit(limit)
        ids: list[int] = self._store.database.read(lambda c: [row.id for row in c.execute(query)])
        count = len(ids) if is_trial or not ids else self._store.write(lambda c: dismiss_receipts(c, ids))
        return DismissStep(count, ids[-1] if len(ids) == limit else None)

    def pending(self, *, limit: int, max_bytes: int) -> list[PendingReceipt]:
        """Return pending receipts, oldest first: as many as fit into `max_bytes`, at least one if there is any."""
        return self._store.database.read(lambda c: pending_receipts(c, limit, max_bytes))

    def has_pending(self) -> bool:
        """Return whether any receipt is pending."""
        return self._store.database.read(has_pending)

    def reason(self, receipt_id: str) -> str | None:
        """Return why this receipt is unreadable; None if it is not."""
        row_id = row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: get_reason(c, row_id))

    def _write(self, drain: Drain[NewReceipt]) -> list[Stored]:
        def add(connection: Connection) -> list[Stored]:
            if connection.dialect.name == "postgresql":
                postgres.serialize_receipt_inserts(connection)
            return add_receipts(connection, drain())

        with self._store.last_commit.recorded():
            return self._store.write(add, "work")
