"""What SQLite would read for each question: by an index, and never all of a table that grows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from app.domain.delivery import DeliveryState
from app.domain.replay import Selection
from app.store import Store
from tests.support.events import event_id
from tests.support.store import StoreMaker, sqlite_databases
from tests.support.work import CRM, LEASE, again, claim, dead, done, found, put_in

STATES = (None, *DeliveryState)
GROWING = r"SCAN (jobs|deliveries|events|receipts)\b"
FEW = ("jobs_claimed", "deliveries_undelivered", "events_foreign", "receipts_pending", "receipts_unreadable")
"""Indexes of what is rare; all of one may be read."""
COUNTED = "SCAN jobs USING COVERING INDEX jobs_due"
"""Depths count what is open."""

DeliveryFilter = dict[str, object]


@pytest.fixture
def store(tmp_path: Path, make_store: StoreMaker) -> Store:
    """A store with some of everything."""
    store = make_store(sqlite_databases(tmp_path).migrated())
    put_in(store, *(found(number, order_key=number % 5) for number in range(20)))
    ends = (done, dead, again)
    store.jobs.settle([ends[job.id % 3](job) for job in claim(store)])
    return store


@contextmanager
def questions(store: Store) -> Iterator[DeliveryFilter]:
    """Every statement that is executed meanwhile, with parameters."""
    asked: DeliveryFilter = {}

    def note(_connection: object, _cursor: object, sql: str, values: object, _context: object, many: bool) -> None:
        if not sql.startswith(("BEGIN", "INSERT")):
            asked.setdefault(sql, values[0] if many else values)  # type: ignore[index]

    engines = (store.database._reader, store.database._writer)  # type: ignore[attr-defined]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def plans(store: Store, asked: DeliveryFilter) -> list[str]:
    def explain(connection: Connection) -> list[str]:
        rows = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in asked.items()]  # type: ignore[arg-type]
        return [row[3] for one in rows for row in one]

    return store.database.read(explain)


def test_no_question_reads_a_whole_table_but_to_count_what_is_open(store: Store) -> None:
    with questions(store) as asked:
        jobs = claim(store)
        store.jobs.renew(jobs, LEASE)
        store.jobs.hand_back(jobs[:1])
        store.deliveries.load(jobs)
        store.jobs.settle([done(job) for job in jobs[1:]])
        store.jobs.next_due_in(CRM)
        store.jobs.depths()
        store.deliveries.counts()
        for state in STATES:
            store.deliveries.page(state=state, limit=10)
            store.deliveries.page(state=state, destination="crm", limit=10)
            store.deliveries.replay_some(Selection(state=state), after=0, limit=10, deliveries_of=lambda _: None)
        store.deliveries.page(event=event_id(1), limit=10)
        store.deliveries.replay("dlv_1")
        store.queues.resume(CRM)
        store.receipts.has_pending()
        store.receipts.counts()
        store.events.counts()
        put_in(store, found("new"))

    scans = [line for line in plans(store, asked) if re.match(GROWING, line)]
    assert {line for line in scans if not line.endswith(FEW)} == {COUNTED}
    assert len(asked) > 30
