"""Receipts: exact bytes in, each only once however often it comes, and out again.

Equal bytes are found by a 64-bit digest and proven equal by comparing them. A wider index would cost more than it
tells: a digest is random, so that its index pages are cold. Should two different bodies ever share a digest, the
second is kept under the digest of another probe.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from app.domain.receipt import RECEIPT_ID, NewReceipt, Receipt, ReceiptState, Stored
from app.store.schema import receipts

Digest = Callable[[bytes, int], int]

BIGGEST_ID = 2**63 - 1

_SHOWN = [column for column in receipts.columns if column.name not in ("digest", "body")]
_KNOWN = select(receipts.c.digest, receipts.c.id, receipts.c.body).where(
    receipts.c.digest.in_(bindparam("digests", expanding=True))
)
_INSERT = insert(receipts).returning(receipts.c.id)
"""Nobody reads the ids: with RETURNING SQLAlchemy makes one statement of all rows, and a native thread that makes
one call into the driver instead of one for each row gives the interpreter's lock up only once."""
_REPEAT = (
    update(receipts)
    .where(receipts.c.id == bindparam("known_id"))
    .values(duplicates=receipts.c.duplicates + bindparam("times"))
)


@dataclass(frozen=True)
class ReceiptCounts:
    """How many receipts stand where. `total` is an upper bound: ids given away, not rows counted."""

    total: int
    pending: int
    unreadable: int
    oldest_pending_at: datetime | None
    last_received_at: datetime | None


def digest_of(sha256: bytes, probe: int) -> int:
    """64 bits of a body's SHA-256, as a signed integer; another probe gives other bits."""
    bits = sha256 if probe == 0 else hashlib.sha256(probe.to_bytes(4) + sha256).digest()
    return int.from_bytes(bits[:8], signed=True)


def add_receipts(connection: Connection, new: Sequence[NewReceipt], digest: Digest = digest_of) -> list[Stored]:
    """Keep each of the new ones, or raise the counter of the one whose bytes it repeats.

    Nobody else may add receipts meanwhile: what is looked up here must still be so at the commit.
    """
    batch = _Batch(new, digest)
    while batch.open:
        batch.sort_out(_look_up(connection, batch.digests()))
    if batch.repeated:
        times = [{"known_id": known, "times": times} for known, times in batch.repeated.items()]
        connection.execute(_REPEAT, times)
    if batch.fresh:
        connection.execute(_INSERT, batch.rows()).close()
    return batch.stored


def _look_up(connection: Connection, digests: list[int]) -> dict[int, Row[tuple[int, int, bytes]]]:
    return {row.digest: row for row in connection.execute(_KNOWN, {"digests": digests})}


class _Batch:
    """The new receipts of one transaction while it is found out which of them are new."""

    def __init__(self, new: Sequence[NewReceipt], digest: Digest) -> None:
        self.new = new
        self.digest = digest
        self.stored = [Stored.ACCEPTED] * len(new)
        self.sha256 = [hashlib.sha256(receipt.body).digest() for receipt in new]
        self.open = {at: digest(sha256, 0) for at, sha256 in enumerate(self.sha256)}
        self.probe = 0
        self.fresh: dict[int, int] = {}
        self.again: dict[int, int] = {}
        self.repeated: dict[int, int] = {}

    def digests(self) -> list[int]:
        return list(dict.fromkeys(self.open.values()))

    def sort_out(self, known: dict[int, Row[tuple[int, int, bytes]]]) -> None:
        """Settle each open one as new or repeated; those that only share a digest stay open under another."""
        self.probe += 1
        still_open = {}
        for at, digest in self.open.items():
            body = self.new[at].body
            if digest in known and bytes(known[digest].body) == body:
                self.repeated[known[digest].id] = self.repeated.get(known[digest].id, 0) + 1
                self.stored[at] = Stored.DUPLICATE
            elif digest in self.fresh and self.new[self.fresh[digest]].body == body:
                self.again[digest] = self.again.get(digest, 0) + 1
                self.stored[at] = Stored.DUPLICATE
            elif digest in known or digest in self.fresh:
                still_open[at] = self.digest(self.sha256[at], self.probe)
            else:
                self.fresh[digest] = at
        self.open = still_open

    def rows(self) -> list[dict[str, object]]:
        return [
            {
                "digest": digest,
                "received_at": self.new[at].received_at,
                "size": len(self.new[at].body),
                "sha256": self.sha256[at],
                "state": ReceiptState.PENDING.value,
                "events": 0,
                "duplicates": self.again.get(digest, 0),
                "signed_with": self.new[at].signed_with,
                "body": self.new[at].body,
            }
            for digest, at in self.fresh.items()
        ]


def get_receipt(connection: Connection, row_id: int) -> Receipt | None:
    """The receipt with this id."""
    row = connection.execute(select(*_SHOWN).where(receipts.c.id == row_id)).one_or_none()
    return None if row is None else _receipt(row)


def get_body(connection: Connection, row_id: int) -> bytes | None:
    """The exact bytes of a receipt."""
    body = connection.execute(select(receipts.c.body).where(receipts.c.id == row_id)).scalar_one_or_none()
    return None if body is None else bytes(body)


def page_of_receipts(
    connection: Connection, *, state: ReceiptState | None, before: int | None, limit: int
) -> list[Receipt]:
    """Receipts from the newest to the oldest, those older than `before`."""
    query = select(*_SHOWN).order_by(receipts.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(receipts.c.state == state.value)
    if before is not None:
        query = query.where(receipts.c.id < before)
    return [_receipt(row) for row in connection.execute(query)]


def count_receipts(connection: Connection) -> ReceiptCounts:
    """What `/status` and `/metrics` tell; by the ends of indexes, so that a million cost no more than ten."""
    first, last = connection.execute(select(func.min(receipts.c.id), func.max(receipts.c.id))).one()
    return ReceiptCounts(
        total=0 if last is None else last - first + 1,
        pending=_count(connection, ReceiptState.PENDING),
        unreadable=_count(connection, ReceiptState.UNREADABLE),
        oldest_pending_at=_oldest_pending(connection),
        last_received_at=_received_at(connection, last),
    )


def reprocess_receipt(connection: Connection, row_id: int) -> None:
    """Put a receipt back in line."""
    connection.execute(update(receipts).where(receipts.c.id == row_id).values(state=ReceiptState.PENDING.value))


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


def _count(connection: Connection, state: ReceiptState) -> int:
    where = receipts.c.state == bindparam(None, state.value, literal_execute=True)
    return connection.execute(select(func.count()).select_from(receipts).where(where)).scalar_one()


def _oldest_pending(connection: Connection) -> datetime | None:
    pending = receipts.c.state == bindparam(None, ReceiptState.PENDING.value, literal_execute=True)
    oldest = connection.execute(select(func.min(receipts.c.id)).where(pending)).scalar_one()
    return _received_at(connection, oldest)


def _received_at(connection: Connection, row_id: int | None) -> datetime | None:
    if row_id is None:
        return None
    return connection.execute(select(receipts.c.received_at).where(receipts.c.id == row_id)).scalar_one_or_none()
