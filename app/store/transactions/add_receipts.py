"""Adds receipts: exact bytes, each body only once, however often it comes.

A 64-bit digest finds equal bodies, and a comparison of the bytes proves them equal. An index of longer digests costs
more than it brings: digests are random, so that its pages are cold. If two different bodies have the same digest, the
second one is stored under another digest of its own. A body that was cleared is compared by its SHA-256.
"""

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Row, bindparam, select, update

from app.domain.receipt import NewReceipt, ReceiptState, Stored
from app.store.engine.bulk_insert import BulkInsert, insert_rows
from app.store.engine.one_of import one_of
from app.store.tables.schema import receipts

LOCKED_BYTES = 2047
"""hashlib releases the interpreter's lock for more bytes than these."""

Digest = Callable[[bytes, int], int]
"""Return the digest for a SHA-256 and the number of digests that were taken by other bodies."""

KnownRow = Row[int, int, int, bytes, bytes]
Known = dict[int, KnownRow]
"""Stored receipts by digest."""

_KNOWN = select(receipts.c.digest, receipts.c.id, receipts.c.size, receipts.c.sha256, receipts.c.body).where(
    one_of(receipts.c.digest, "digests")
)
_NEW = {"state": f"'{ReceiptState.PENDING.value}'", "events": "0", "differing": "0"}
"""The first values of each new receipt, as SQL: fewer parameters take less time."""

_COLUMNS = ("digest", "received_at", "size", "sha256", "duplicates", "signed_with", "body", "trace")
_INSERT = BulkInsert(receipts, *_COLUMNS, *_NEW)

_COUNT_DUPLICATES = (
    update(receipts)
    .where(receipts.c.id == bindparam("known_id"))
    .values(duplicates=receipts.c.duplicates + bindparam("times"))
)


def sha256_of(body: bytes) -> bytes:
    """Return a body's SHA-256, computed in pieces for which hashlib keeps the interpreter's lock.

    A native thread that releases the lock for each larger body waits a millisecond to get it back, every time.
    """
    sha256 = hashlib.sha256()
    for start in range(0, len(body), LOCKED_BYTES):
        sha256.update(body[start : start + LOCKED_BYTES])
    return sha256.digest()


def digest_of(sha256: bytes, probe: int) -> int:
    """Return 64 bits of a body's SHA-256 as a signed integer. Each probe gives other bits."""
    bits = sha256 if probe == 0 else hashlib.sha256(probe.to_bytes(4) + sha256).digest()
    return int.from_bytes(bits[:8], signed=True)


def add_receipts(connection: Connection, new: Sequence[NewReceipt], digest: Digest = digest_of) -> list[Stored]:
    """Add each new receipt, or count it as a duplicate of the stored one with the same bytes.

    The caller makes sure that no other transaction adds receipts meanwhile: what is looked up here must hold until
    the commit.
    """
    batch = _Batch(new, digest)
    while batch.undecided:
        batch.decide(_look_up(connection, batch.digests()))
    if batch.duplicates:
        rows = [{"known_id": known_id, "times": times} for known_id, times in sorted(batch.duplicates.items())]
        connection.execute(_COUNT_DUPLICATES, rows)
    if batch.fresh:
        _insert(connection, batch.rows())
    return batch.stored


def _insert(connection: Connection, rows: list[tuple[object, ...]]) -> None:
    if connection.dialect.name == "sqlite":
        insert_rows(connection, receipts, _COLUMNS, rows, tuple(_NEW.items()))
    else:
        _INSERT.execute(connection, [(*row, ReceiptState.PENDING.value, 0, 0) for row in rows])


def _look_up(connection: Connection, digests: list[int]) -> Known:
    return {row.digest: row for row in connection.execute(_KNOWN, {"digests": digests})}


def _has_body(row: KnownRow, body: bytes, sha256: bytes) -> bool:
    is_cleared = row.size and not row.body
    return bytes(row.sha256) == sha256 if is_cleared else bytes(row.body) == body


class _Batch:
    """The receipts of one transaction, while it is decided which of them are new.

    Receipts are named by their index in `new`. `undecided` holds the digest of each that is still to be looked up;
    `fresh` the index of each new one, by its digest; `repeats` how often a new one is repeated in the batch, by its
    digest; `duplicates` how often a stored one is repeated, by its id.
    """

    def __init__(self, new: Sequence[NewReceipt], digest: Digest) -> None:
        self.new = new
        self.digest = digest
        self.stored = [Stored.ACCEPTED] * len(new)
        self.sha256 = [sha256_of(receipt.body) for receipt in new]
        self.undecided = {index: digest(sha256, 0) for index, sha256 in enumerate(self.sha256)}
        self.probe = 0
        self.fresh: dict[int, int] = {}
        self.repeats: dict[int, int] = {}
        self.duplicates: dict[int, int] = {}

    def digests(self) -> list[int]:
        return list(dict.fromkeys(self.undecided.values()))

    def decide(self, known: Known) -> None:
        """Decide which of the undecided are new. Those that only share a digest stay undecided, with another one."""
        self.probe += 1
        undecided = {}
        for index, digest in self.undecided.items():
            body = self.new[index].body
            if digest in known and _has_body(known[digest], body, self.sha256[index]):
                self.duplicates[known[digest].id] = self.duplicates.get(known[digest].id, 0) + 1
                self.stored[index] = Stored.DUPLICATE
            elif digest in self.fresh and self.new[self.fresh[digest]].body == body:
                self.repeats[digest] = self.repeats.get(digest, 0) + 1
                self.stored[index] = Stored.DUPLICATE
            elif digest in known or digest in self.fresh:
                undecided[index] = self.digest(self.sha256[index], self.probe)
            else:
                self.fresh[digest] = index
        self.undecided = undecided

    def rows(self) -> list[tuple[object, ...]]:
        """Return the row of each new receipt; see `_COLUMNS`."""
        return [
            (
                digest,
                self.new[index].received_at,
                len(self.new[index].body),
                self.sha256[index],
                self.repeats.get(digest, 0),
                self.new[index].signed_with,
                self.new[index].body,
                trace.packed if (trace := self.new[index].trace) is not None else None,
            )
            for digest, index in self.fresh.items()
        ]
