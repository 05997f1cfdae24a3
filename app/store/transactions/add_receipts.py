"""Taking receipts in: exact bytes, each only once however often it comes.

Equal bytes are found by a 64-bit digest and proven equal by comparing them. A wider index would cost more than it
tells: a digest is random, so that its index pages are cold. Should two different bodies ever share a digest, the
second is kept under the digest of another probe. Bytes that were erased with a customer are known by their SHA-256.
"""

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from app.domain.receipt import NewReceipt, ReceiptState, Stored
from app.store.engine.bulk_insert import insert_rows
from app.store.tables.schema import receipts

LOCKED_BYTES = 2047
"""hashlib gives the interpreter's lock up for more than these."""

Digest = Callable[[bytes, int], int]
KnownRow = Row[int, int, int, bytes, bytes]
Known = dict[int, KnownRow]

_KNOWN = select(receipts.c.digest, receipts.c.id, receipts.c.size, receipts.c.sha256, receipts.c.body).where(
    receipts.c.digest.in_(bindparam("digests", expanding=True))
)
_INSERT = insert(receipts).returning(receipts.c.id)
"""Nobody reads the ids: with RETURNING SQLAlchemy makes one statement of all rows."""
_REPEAT = (
    update(receipts)
    .where(receipts.c.id == bindparam("known_id"))
    .values(duplicates=receipts.c.duplicates + bindparam("times"))
)


def sha256_of(body: bytes) -> bytes:
    """A body's SHA-256, taken of pieces for which hashlib keeps the interpreter's lock.

    A native thread that gives the lock up for each larger body waits a millisecond to get it back, every time.
    """
    hashed = hashlib.sha256()
    for start in range(0, len(body), LOCKED_BYTES):
        hashed.update(body[start : start + LOCKED_BYTES])
    return hashed.digest()


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
        times = [{"known_id": known, "times": times} for known, times in sorted(batch.repeated.items())]
        connection.execute(_REPEAT, times)
    if batch.fresh:
        _insert(connection, batch.rows())
    return batch.stored


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    if connection.dialect.name == "sqlite":
        insert_rows(connection, receipts, rows)
    else:
        connection.execute(_INSERT, rows).close()


def _look_up(connection: Connection, digests: list[int]) -> Known:
    return {row.digest: row for row in connection.execute(_KNOWN, {"digests": digests})}


def _holds(row: KnownRow, body: bytes, sha256: bytes) -> bool:
    if row.size and not row.body:
        return bytes(row.sha256) == sha256
    return bytes(row.body) == body


class _Batch:
    """The new receipts of one transaction while it is found out which of them are new."""

    def __init__(self, new: Sequence[NewReceipt], digest: Digest) -> None:
        self.new = new
        self.digest = digest
        self.stored = [Stored.ACCEPTED] * len(new)
        self.sha256 = [sha256_of(receipt.body) for receipt in new]
        self.open = {at: digest(sha256, 0) for at, sha256 in enumerate(self.sha256)}
        self.probe = 0
        self.fresh: dict[int, int] = {}
        self.again: dict[int, int] = {}
        self.repeated: dict[int, int] = {}

    def digests(self) -> list[int]:
        return list(dict.fromkeys(self.open.values()))

    def sort_out(self, known: Known) -> None:
        """Settle each open one as new or repeated; those that only share a digest stay open under another."""
        self.probe += 1
        still_open = {}
        for at, digest in self.open.items():
            body = self.new[at].body
            if digest in known and _holds(known[digest], body, self.sha256[at]):
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
