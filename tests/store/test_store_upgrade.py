"""An upgrade of a database of an earlier schema, with rows in it, while older code reads and writes."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from app.store import Store, StoreError
from app.store.engine import sqlite
from app.store.engine.sqlite_files import create_file
from app.store.migrations.upgrade import MIGRATIONS, no_schema
from app.store.tables.message_schema import messages
from app.store.tables.messages import progress_of
from app.store.tables.schema import jobs
from app.store.transactions.judge_failures import FAILURES_AT_ONCE
from tests.support.messages import accept, new_message
from tests.support.postgres import PostgresServer
from tests.support.serving import ROOT
from tests.support.store import Databases, StoreMaker
from tests.support.waiting import DEADLINE_SECONDS, wait_for

EARLIER, HEAD = "0008", no_schema().head
ROWS = 300
ADD_EVENT = """
    INSERT INTO events (event_id, type, occurred_at, received_at, receipt, phone_number_id, is_foreign, document)
    VALUES (:event_id, 'message.text', :at, :at, 7, '1', false, :document)
"""
ADD_SCOPE = """
    INSERT INTO send_scopes (name, error_class, code, reason, since, until, trips, is_told)
    VALUES (:scope, 'recipient', 131050, '', :at, NULL, 1, false)
"""
ADD_NUMBER = """
    INSERT INTO queues (name, paused, disabled, failures, trips)
    VALUES ('send:1', false, false, 0, 0)
"""
ADD_JOB = """
    INSERT INTO jobs (queue, subject, order_key, due_at, attempts, claims, claim_id)
    VALUES ('send:1', :subject, :order_key, :later, 1, 0, :claim_id)
"""
TAKE_QUEUE = "UPDATE queues SET failures = failures + 1 WHERE name = 'split'"
_WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'ALTER TABLE messages%'"
WAITS_FOR_MESSAGES = f"SELECT 1 {_WAITING} AND wait_event_type = 'Lock'"
STOP_WHAT_WAITS = f"SELECT pg_cancel_backend(pid) {_WAITING} AND wait_event_type = 'Lock'"
ATTEMPTS = f"SELECT query_start {_WAITING} AND wait_event_type = 'Lock'"
READ = "SELECT id, type, document FROM events WHERE id > 0 ORDER BY id DESC LIMIT 10"


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    is_file = url.startswith("sqlite:")  # which only one library of SQLite may open in a process
    engine = sqlite.writer_engine(url, lock_seconds=60) if is_file else create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def put_earlier_schema(url: str, revision: str = EARLIER) -> None:
    """Make a database of an earlier schema, with events in it."""
    if url.startswith("sqlite:"):
        create_file(sqlite.path_of(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine_of(url) as engine:
        if engine.dialect.name == "sqlite":
            sqlite.set_journal_mode(engine)
        migrate(engine, config, revision)


def migrate(engine: Engine, config: Config, revision: str) -> None:
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for number in range(ROWS):
            add_event(connection, number)
        for scope in ("marketing:1:42", "marketing:1:42:sale", "number:1"):
            connection.execute(text(ADD_SCOPE), {"scope": scope, "at": time_of(connection)})


def add_event(connection: Connection, number: int) -> None:
    row = {"event_id": number.to_bytes(16), "at": time_of(connection), "document": b"{}"}
    connection.execute(text(ADD_EVENT), row)


def time_of(connection: Connection) -> Any:
    return 0 if connection.dialect.name == "sqlite" else "2026-11-27T12:00:00Z"


def later_of(connection: Connection) -> Any:
    return 2**52 if connection.dialect.name == "sqlite" else "2100-01-01T00:00:00Z"


def indexes(store: Store) -> set[str]:
    """Return the names of the indexes; on PostgreSQL of those that can be used."""
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if store.database.read(lambda c: c.dialect.name) == "sqlite"
        else "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indisvalid AND NOT indisunique"
    )
    return store.database.read(lambda c: set(c.exec_driver_sql(names).scalars()))


ADDED = {
    "deliveries_discarded",
    "events_number",
    "events_received",
    "events_receipt",
    "messages_alert",
    "messages_unjudged",
    "jobs_order_key",
}
DROPPED = {"jobs_order"}


def test_older_code_reads_and_writes_while_the_schema_is_upgraded(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = databases.empty()
    put_earlier_schema(url)
    store = make_store(url)

    with engine_of(url) as one, engine_of(url) as other:
        reader, writer = Going(lambda _: read(one)), Going(lambda number: write(other, ROWS + number))
        status = store.upgrade_schema()
        done = [going.stop() for going in (reader, writer)]

    count = store.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM events").scalar_one())
    assert (status.version, count) == (HEAD, ROWS + done[1])
    assert indexes(store) > ADDED
    assert indexes(store).isdisjoint(DROPPED)


def test_the_customers_of_pauses_are_filled_in(databases: Databases, make_store: StoreMaker) -> None:
    url = databases.empty()
    put_earlier_schema(url)
    store = make_store(url)

    store.upgrade_schema()

    names = "SELECT name, contact FROM send_scopes ORDER BY name"
    found = store.database.read(lambda c: [tuple(row) for row in c.exec_driver_sql(names)])
    assert found == [("marketing:1:42", 42), ("marketing:1:42:sale", 42), ("number:1", None)]


def test_messages_that_older_code_has_held_are_woken_by_the_next_look(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = databases.empty()
    put_earlier_schema(url)
    with engine_of(url) as engine, engine.begin() as connection:
        connection.execute(text(ADD_NUMBER))
        for subject, (order_key, claim_id) in enumerate([(None, None), (42, None), (None, 7)]):
            job = {"subject": subject, "order_key": order_key, "claim_id": claim_id}
            connection.execute(text(ADD_JOB), {**job, "later": later_of(connection)})
    store = make_store(url)

    store.upgrade_schema()
    store.sending.wake_released()

    found = select(jobs.c.subject, jobs.c.due_at).where(jobs.c.queue == "send:1").order_by(jobs.c.subject)
    rows = store.database.read(lambda c: c.execute(found).all())
    assert [row.due_at <= datetime.now(UTC) for row in rows] == [True, False, False]


def failed_message(number: int, code: int) -> dict[str, Any]:
    """Return the row of a message that failed a minute ago, as code records it that knows no alert."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    return {
        "message_id": number.to_bytes(16),
        "phone_number_id": "1",
        "contact": number,
        "endpoint": "messages",
        "type": "text",
        "recipient_to": "+4915112345678",
        "window_exempt": False,
        "status": "failed",
        "resends": 0,
        "created_at": at,
        "updated_at": at,
        "expires_at": at,
        "progress": progress_of([], tracker=None, error={"code": code, "title": "said"}),
        "body": b"{}",
    }


def test_failures_from_before_an_upgrade_and_of_older_code_beside_it_raise_their_alert_in_steps(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = databases.empty()
    put_earlier_schema(url)
    with engine_of(url) as engine, engine.begin() as connection:
        before = [failed_message(number, 131215) for number in range(FAILURES_AT_ONCE)]
        connection.execute(insert(messages), [*before, failed_message(FAILURES_AT_ONCE, 131026)])
    store = make_store(url)
    store.upgrade_schema()
    with engine_of(url) as engine, engine.begin() as connection:
        connection.execute(insert(messages), failed_message(FAILURES_AT_ONCE + 1, 134011))

    found = []
    for _ in range(3):
        found.append([sign.subject for sign in store.attention.signs().failures])
        store.upkeep.judge_failures()

    judged = store.database.read(lambda c: c.execute(select(messages.c.alert)).scalars().all())
    assert found == [[], ["131215", "134011"], ["131215", "134011"]]
    assert judged == [*["131215"] * FAILURES_AT_ONCE, "", "134011"]


def test_the_check_of_the_token_is_due_since_the_upgrade(databases: Databases, make_store: StoreMaker) -> None:
    url = databases.empty()
    put_earlier_schema(url)
    store = make_store(url)

    store.upgrade_schema()

    due = store.database.read(lambda c: c.execute(select(jobs.c.due_at).where(jobs.c.queue == "token")).scalar_one())
    assert due > datetime.now(UTC) - timedelta(days=1)


def at_schema_0016(postgres_server: PostgresServer, make_store: StoreMaker) -> tuple[str, Store]:
    """Return a database before the migration that alters tables in use, and a store on it."""
    url = postgres_server.empty_database()
    put_earlier_schema(url, "0016")
    return url, make_store(url)


def test_an_upgrade_that_a_busy_table_stops_holds_no_other_and_goes_on_at_the_next_start(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    url, store = at_schema_0016(postgres_server, make_store)

    with engine_of(url) as engine, engine.connect() as busy:
        busy.execute(text("LOCK TABLE messages IN ROW EXCLUSIVE MODE"))
        upgrading = Upgrading(store)
        watching = postgres_server.connect(url.rpartition("/")[2])
        with watching as watched:
            wait_for(lambda: watched.execute(WAITS_FOR_MESSAGES).fetchone())
            write_beside(engine)
            wait_for(lambda: watched.execute(STOP_WHAT_WAITS) and not upgrading.is_alive())
        busy.rollback()

    assert upgrading.failed is not None
    assert store.schema_status().version == "0016"
    assert store.upgrade_schema().version == HEAD


def test_an_upgrade_asks_again_and_again_for_a_busy_table_so_that_others_get_in_between(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    url, store = at_schema_0016(postgres_server, make_store)
    attempts: set[Any] = set()

    with engine_of(url) as engine, engine.connect() as busy, engine.connect() as other:
        busy.execute(text("LOCK TABLE messages IN ROW EXCLUSIVE MODE"))
        upgrading = Upgrading(store)
        with postgres_server.connect(url.rpartition("/")[2]) as watched:
            wait_for(lambda: note(attempts, watched) > 1 or not upgrading.is_alive())
        other.execute(text("SELECT id FROM messages"))
        busy.rollback()
        other.rollback()
        upgrading.join(DEADLINE_SECONDS)

    assert (len(attempts), upgrading.failed) == (2, None)
    assert store.schema_status().version == HEAD


def note(attempts: set[Any], connection: psycopg.Connection) -> int:
    """Note when the statement has begun that waits for the table, if one does. Return how many there were."""
    attempts.update(connection.execute(ATTEMPTS).fetchall())
    return len(attempts)


def test_the_statement_of_the_upgrade_notes_lists_the_pairs_that_clients_have_named(store: Store) -> None:
    notes = (ROOT / "docs" / "deploy" / "upgrade.md").read_text()
    [statement] = re.findall(r"```sql\n\s*(.*?);", notes, re.DOTALL)
    first, second = (new_message()._replace(recipient="DE.13491208655302741918") for _ in range(2))
    accept(store, new_message(), first, second)

    found = store.database.read(lambda c: [tuple(row) for row in c.exec_driver_sql(statement)])

    assert found == [(first.to, first.recipient)]


def read(engine: Engine) -> None:
    with engine.connect() as connection:
        assert len(connection.execute(text(READ)).all()) == 10


def write(engine: Engine, number: int) -> None:
    """Write as older code splits: first events, then queues."""
    with engine.begin() as connection:
        add_event(connection, number)
        connection.execute(text(TAKE_QUEUE))


class Upgrading(threading.Thread):
    """An upgrade in a thread. `failed`: what it has met."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.failed: StoreError | None = None
        self._store = store
        self.start()

    def run(self) -> None:
        try:
            self._store.upgrade_schema()
        except StoreError as error:
            self.failed = error


class Going:
    """Does something again and again, in a thread."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self._work, self._over, self._done = work, threading.Event(), 0
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        wait_for(lambda: self._done > 0 or self._failed is not None)

    def stop(self) -> int:
        """Return how often it was done; raise what it met."""
        wanted = self._done + 1
        wait_for(lambda: self._done >= wanted or self._failed is not None)
        self._over.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed
        return self._done

    def _go_on(self) -> None:
        try:
            while not self._over.wait(0.005):
                self._work(self._done)
                self._done += 1
        except Exception as error:  # noqa: BLE001 - it is raised by stop()
            self._failed = error


def test_an_index_is_built_without_a_limit_and_holds_no_lock_that_older_code_waits_for(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    url = postgres_server.empty_database()
    put_earlier_schema(url)
    leave_part_of_an_index(url)
    store, watching = make_store(url), postgres_server.connect(url.rpartition("/")[2])
    limits: list[str] = []

    with watching as watched, engine_of(url) as engine, statement_timeouts(limits), engine.connect() as splitting:
        add_event(splitting, ROWS)
        upgrading = threading.Thread(target=store.upgrade_schema)
        upgrading.start()
        wait_for(lambda: is_waiting(watched))
        splitting.execute(text("SET LOCAL lock_timeout = '60s'"))
        splitting.execute(text(TAKE_QUEUE))
        waits = is_waiting(watched)
        write_beside(engine)
        splitting.commit()
        upgrading.join(DEADLINE_SECONDS)

    assert waits
    assert store.schema_status().version == HEAD
    assert indexes(store) > ADDED
    assert indexes(store).isdisjoint(DROPPED)
    assert set(limits) == {"0"}


def leave_part_of_an_index(url: str) -> None:
    """Leave an index that cannot be used, as a build does that is killed."""
    build = text("CREATE UNIQUE INDEX CONCURRENTLY events_number ON events (type)")
    with engine_of(url) as engine, engine.connect() as connection:
        outside = connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(IntegrityError):
            outside.execute(build)


def write_beside(engine: Engine) -> None:
    """Add an event in a transaction of its own, which waits for no build."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        add_event(connection, ROWS + 1)


def is_waiting(connection: psycopg.Connection) -> bool:
    """Return whether the build of an index, or the end of a part of one, waits for a transaction."""
    waiting = """
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '% INDEX CONCURRENTLY%'
    """
    return connection.execute(waiting).fetchone() is not None


@contextmanager
def statement_timeouts(limits: list[str]) -> Iterator[None]:
    """Collect the limit that holds for each index that is built."""

    def collect(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("CREATE INDEX"):
            with connection.connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                limits.append(cursor.fetchone()[0])

    event.listen(Engine, "before_cursor_execute", collect)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", collect)
