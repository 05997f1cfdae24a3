"""Each body is stored once and counted, whatever a transaction holds and whichever bodies share a digest."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from app.domain.receipt import Stored
from app.store import Store
from app.store.tables.schema import receipts
from app.store.transactions.add_receipts import add_receipts
from tests.support.store import StoreMaker, new_receipt, sqlite_databases

BODIES = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"])
TRANSACTIONS = st.lists(st.lists(BODIES, min_size=1, max_size=6), max_size=5)


def crowded_digest(sha256: bytes, probe: int) -> int:
    """Few values, so that different bodies share one at the first probes."""
    return (sha256[0] % 2) * 1000 + probe if probe < 2 else int.from_bytes(sha256[: probe + 1])


@pytest.fixture
def sqlite_store(tmp_path: Path, make_store: StoreMaker) -> Store:
    return make_store(sqlite_databases(tmp_path).migrated())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRANSACTIONS)
def test_each_body_is_kept_once_and_every_repetition_counted(
    sqlite_store: Store, transactions: list[list[bytes]]
) -> None:
    sqlite_store.write(lambda c: c.execute(delete(receipts)))

    stored = [outcome for bodies in transactions for outcome in add(sqlite_store, bodies)]

    kept = sqlite_store.database.read(lambda c: c.execute(select(receipts.c.body, receipts.c.duplicates)).all())
    received = [body for bodies in transactions for body in bodies]
    assert stored == [
        Stored.DUPLICATE if body in received[:index] else Stored.ACCEPTED for index, body in enumerate(received)
    ]
    assert {bytes(body): duplicates + 1 for body, duplicates in kept} == Counter(received)
    assert len(kept) == len(set(received))


def add(store: Store, bodies: list[bytes]) -> list[Stored]:
    def work(connection: Connection) -> list[Stored]:
        return add_receipts(connection, [new_receipt(body) for body in bodies], crowded_digest)

    return store.write(work)
