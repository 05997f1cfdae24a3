"""SQLite answers every query by an index, and never reads a whole table that grows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, update

from app.domain.delivery import DeliveryState
from app.domain.replay import Selection
from app.store import Store
from app.store.tables.message_schema import messages
from tests.support.events import event_id
from tests.support.messages import accept, new_message
from tests.support.store import NOON, StoreMaker, sqlite_databases
from tests.support.work import CRM, LEASE, add_events, claim, dead, done, retry, split_event

LATER = NOON + timedelta(days=1)
STATES = (None, *DeliveryState)
GROWING = r"SCAN (jobs|deliveries|events|receipts|send_scopes)\b"
FEW = (
    "jobs_claimed",
    "deliveries_undelivered",
    "events_foreign",
    "receipts_pending",
    "receipts_unreadable",
    "send_scopes_general",
)
"""Indexes of rare rows: one may be read as a whole."""
COUNTED = "SCAN jobs USING COVERING INDEX jobs_due"
"""Depths count the open jobs."""

Statements = dict[str, object]


@pytest.fixture
def store(tmp_path: Path, make_store: StoreMaker) -> Store:
    """A store with rows in every table."""
    store = make_store(sqlite_databases(tmp_path).migrated())
    add_events(store, *(split_event(number, order_key=number % 5) for number in range(20)))
    results = (done, dead, retry)
    store.jobs.settle([results[job.id % 3](job) for job in claim(store)])
    return store


@contextmanager
def collected(store: Store) -> Iterator[Statements]:
    """Collect every statement that is executed meanwhile, with its parameters."""
    statements: Statements = {}

    def note(_connection: object, _cursor: object, sql: str, values: object, _context: object, many: bool) -> None:
        if not sql.startswith(("BEGIN", "INSERT")):
            statements.setdefault(sql, values[0] if many else values)  # type: ignore[index]

    engines = (store.database._reader, store.database._writer)  # type: ignore[attr-defined]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def plans(store: Store, statements: Statements) -> list[str]:
    def explain(connection: Connection) -> list[str]:
        rows = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in statements.items()]  # type: ignore[arg-type]
        return [row[3] for one in rows for row in one]

    return store.database.read(explain)


def test_no_query_reads_a_whole_table_but_the_count_of_open_jobs(store: Store) -> None:
    with collected(store) as statements:
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
            store.deliveries.page(state=state, since=NOON, until=LATER, limit=10)
            store.deliveries.replay_some(Selection(state=state), after=0, limit=10, deliveries_of=lambda _: None)
        store.deliveries.page(event=event_id(1), limit=10)
        store.deliveries.replay("dlv_1")
        store.queues.resume(CRM)
        store.receipts.has_pending()
        store.receipts.counts()
        store.events.counts()
        store.sending.pauses()
        store.sending.probe_stopped()
        store.sending.wake_released()
        store.message_retention.prune_scopes(now=LATER, before=NOON, after=0)
        store.message_retention.prune_scopes(now=LATER, before=NOON, after=1)
        add_events(store, split_event("new"))

    scans = [line for line in plans(store, statements) if re.match(GROWING, line)]
    assert {line for line in scans if not line.endswith(FEW)} == {COUNTED}
    assert len(statements) > 30


def test_failures_that_raise_an_alert_are_found_by_their_index(store: Store) -> None:
    accept(store, new_message())
    store.write(lambda c: c.execute(update(messages).values(status="failed", alert="134011")))

    with collected(store) as statements:
        store.attention.signs()
        store.upkeep.judge_failures()

    of_messages = [line for line in plans(store, statements) if re.match(r"(SCAN|SEARCH) messages\b", line)]
    assert len(of_messages) == 4
    assert all(re.search(r"USING (COVERING )?INDEX messages_(alert|unjudged)", line) for line in of_messages)
