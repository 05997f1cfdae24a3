"""A database for a benchmark: the schema at head, and so many receipts already there."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from app.assembly import build_gateway
from app.config import load_settings
from app.domain.receipt import NewReceipt

BATCH = 5000
BODY_BYTES = 1000


def prepare(environ: Mapping[str, str], receipts: int) -> None:
    """Bring the database to head and fill it; the receipts are distinct, of 1 KB each."""
    store = build_gateway(load_settings(environ=environ)).store
    store.upgrade_schema()
    store.open()
    for batch in _batches(receipts):
        store.receipts.add_all(batch)
    store.close()


def _batches(receipts: int) -> Iterator[list[NewReceipt]]:
    seed, now = os.urandom(16), datetime.now(UTC)
    for start in range(0, receipts, BATCH):
        numbers = range(start, min(start + BATCH, receipts))
        yield [NewReceipt(_body(seed, number), now, "current") for number in numbers]


def _body(seed: bytes, number: int) -> bytes:
    return hashlib.sha256(seed + number.to_bytes(8)).digest() * (BODY_BYTES // 32)
