"""What is PostgreSQL's own: every wait has a limit, and commits are durable whatever the defaults."""

import threading
import traceback
from datetime import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, insert, text

from app.store import Limits, Store, StoreRefused, StoreUnavailable
from app.store.engine import postgres
from app.store.engine.postgres_pooler import PoolerCheck, session_of
from app.store.tables.queues import ensure_queues
from app.store.tables.schema import queues
from tests.support.postgres import PostgresServer
from tests.support.store import StoreMaker, new_receipt, unavailable
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.work import add_events, claim, done, split_event

NOT_UTF8 = "the database does not store text as UTF-8; create one with ENCODING 'UTF8' TEMPLATE template0"
ASKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT pg_try_advisory_lock%'
"""
IMPATIENT = Limits(lock_seconds=0.05)
OFTEN = 10
"""A statement that was executed so often is prepared: the driver does it after five times."""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.migrated_database()


def setting(store: Store, name: str) -> object:
    return store.database.read(lambda connection: connection.exec_driver_sql(f"SHOW {name}").scalar_one())


def database_of(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.parametrize(("default", "asked"), [("off", "on"), ("on", "on"), ("local", "local")])
def test_a_commit_is_on_disk_whatever_the_default(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker, default: str, asked: str
) -> None:
    postgres_server.execute(f"ALTER DATABASE {database_of(url)} SET synchronous_commit = {default}")

    store = make_store(url)

    assert setting(store, "synchronous_commit") == asked


def test_each_statement_sees_what_others_committed_whatever_the_default(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    postgres_server.execute(
        f"ALTER DATABASE {database_of(url)} SET default_transaction_isolation = 'repeatable read'"
    )

    store = make_store(url)

    assert setting(store, "transaction_isolation") == "read committed"


def test_every_wait_has_a_limit(url: str, make_store: StoreMaker) -> None:
    store = make_store(url, limits=Limits())

    limits = {
        name: setting(store, name)
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
    }

    assert limits == {
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "5s",
        "timezone": "UTC",
    }


def test_plans_are_made_for_the_present_size_of_the_tables(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    assert setting(store, "plan_cache_mode") == "force_custom_plan"
    assert setting(store, "enable_bitmapscan") == "off"


def test_statements_that_were_prepared_go_on_when_a_migration_adds_columns(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    for number in range(OFTEN):
        add_events(store, split_event(number))
        store.jobs.settle([done(job) for job in claim(store)])
    prepared = store.database.read(lambda c: c.exec_driver_sql("SELECT statement FROM pg_prepared_statements").all())
    assert any("FROM jobs" in statement for (statement,) in prepared)

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as migration:
        for table in ("jobs", "deliveries", "events", "queues", "receipts"):
            migration.execute(f"ALTER TABLE {table} ADD COLUMN note varchar(20) DEFAULT 'new'")

    add_events(store, split_event("after"))
    assert store.jobs.settle([done(job) for job in claim(store)]) == [True]


def wait_for_a_waiter(holder: psycopg.Connection) -> None:
    """Return when some session waits for an advisory lock of this database."""
    waiting = """
        SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
    """
    wait_for(lambda: holder.execute(waiting).fetchone() is not None)


def test_a_migration_waits_for_another_without_a_limit(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    url = postgres_server.empty_database()
    store = make_store(url, limits=IMPATIENT)  # for any other lock
    holder = postgres_server.connect(database_of(url))
    holder.execute("SELECT pg_advisory_lock(%s)", (postgres.MIGRATION_LOCK,))
    upgrading = threading.Thread(target=store.upgrade_schema)

    upgrading.start()
    wait_for(lambda: holder.execute(ASKED).fetchone() is not None)
    upgrading.join(0.5)
    waits_longer_than_for_others = upgrading.is_alive()
    holder.close()
    upgrading.join(DEADLINE_SECONDS)

    assert waits_longer_than_for_others
    assert store.schema_status().compatible


def test_ids_follow_the_order_of_commits(postgres_server: PostgresServer, url: str, make_store: StoreMaker) -> None:
    """The second transaction gets no id before the first has committed."""
    adding, go_on = threading.Event(), threading.Event()

    def pause(point: str) -> None:
        if point == "before_commit":
            adding.set()
            go_on.wait(DEADLINE_SECONDS)

    slow, quick = make_store(url, on_failpoint=pause), make_store(url)
    first = threading.Thread(target=slow.receipts.add, args=(new_receipt(b"first"),))
    second = threading.Thread(target=quick.receipts.add, args=(new_receipt(b"second"),))
    first.start()
    adding.wait(DEADLINE_SECONDS)

    second.start()
    with postgres_server.connect(database_of(url)) as watcher:
        wait_for_a_waiter(watcher)
    meanwhile = quick.receipts.page(state=None, before=None, limit=9)
    go_on.set()
    first.join(DEADLINE_SECONDS)
    second.join(DEADLINE_SECONDS)

    assert meanwhile == []
    assert [quick.receipts.body(receipt_id) for receipt_id in ("rcp_1", "rcp_2")] == [b"first", b"second"]


def test_waiting_for_another_session_that_adds_receipts_has_a_limit(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    store = make_store(url, limits=IMPATIENT)
    holder = postgres_server.connect(database_of(url))
    holder.execute("SELECT pg_advisory_lock(%s)", (postgres.RECEIPTS_LOCK,))

    with unavailable("the database does not answer or reported an error"):
        store.receipts.add(new_receipt())
    holder.execute("SELECT pg_advisory_unlock_all()")
    store.receipts.add(new_receipt())
    holder.close()

    assert store.receipts.counts().total == 1


def test_a_server_that_is_down_is_reported_and_used_again_when_it_is_up(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    store = make_store(url)
    store.receipts.add(new_receipt(b"before"))

    postgres_server.stop()
    checks = store.checks()
    with unavailable("the database does not answer or reported an error"):
        store.receipts.add(new_receipt(b"meanwhile"))
    postgres_server.start()

    assert checks["database"] == checks["schema"] == "the database does not answer or reported an error"
    store.receipts.add(new_receipt(b"after"))
    assert store.receipts.counts().pending == 2
    store.upgrade_schema()


def test_a_server_killed_during_a_transaction_has_stored_nothing_of_it(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    def kill_once(point: str) -> None:
        if point == "before_commit":
            postgres_server.kill()

    store = make_store(url)
    store.receipts.add(new_receipt(b"acknowledged"))
    dying = make_store(url, on_failpoint=kill_once)

    with pytest.raises(StoreUnavailable):
        dying.receipts.add(new_receipt(b"never"))
    postgres_server.start()

    [receipt] = store.receipts.page(state=None, before=None, limit=9)
    assert store.receipts.body(receipt.id) == b"acknowledged"


@pytest.mark.parametrize("durable", [True, False])
def test_a_connection_lost_before_the_first_statement_is_reported_and_replaced(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker, durable: bool
) -> None:
    store = make_store(url)
    pool = store.database._engine.pool  # type: ignore[attr-defined]

    def lose_connection(driver: Any, *_: object) -> None:
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (driver.info.backend_pid,))

    event.listen(pool, "checkout", lose_connection)  # after the pool has pinged the connection
    with unavailable("the database does not answer or reported an error"):
        store.write(lambda connection: connection.execute(text("SELECT 1")), durable=durable)
    event.remove(pool, "checkout", lose_connection)

    store.receipts.add(new_receipt(b"after"))
    assert store.receipts.counts().total == 1


def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    store = make_store(url)
    session = store.write(lambda connection: connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    postgres_server.execute(f"SELECT pg_terminate_backend({session}, 60000)")

    store.receipts.add(new_receipt(b"after"))
    assert store.receipts.counts().total == 1


def test_an_error_message_holds_no_sql_value_or_path(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    def run_bad_sql(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT secret FROM nowhere WHERE x = %s", ("value",))

    with pytest.raises(StoreUnavailable) as error:
        store.write(run_bad_sql)

    assert str(error.value) == "the database does not answer or reported an error"


def test_what_is_logged_of_refused_data_holds_none_of_it(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    number = str(4917 * 10)  # computed, because a traceback holds lines of code
    row = {"name": number, "paused": False, "disabled": False, "failures": 0, "trips": 0}

    with pytest.raises(StoreRefused) as error:
        store.write(lambda c: c.execute(insert(queues), [row, row]))

    assert str(error.value) == "the database refused what it was given (UniqueViolation)"
    assert number not in "".join(traceback.format_exception(error.value))  # PostgreSQL's own message holds the key


def test_a_pool_without_a_free_connection_is_reported(url: str, make_store: StoreMaker) -> None:
    store = make_store(url, limits=Limits(connections=1, pool_seconds=0.05))

    def read_nested(depth: int) -> int:
        return store.database.read(lambda _: read_nested(depth - 1)) if depth else store.receipts.counts().total

    assert read_nested(2) == 0
    with unavailable("no connection to the database became free"):
        read_nested(3)


def test_a_direct_connection_is_known_without_a_second_one(postgres_server: PostgresServer) -> None:
    def connect() -> psycopg.Connection:
        raise AssertionError("a second connection")

    with postgres_server.connect() as connection:
        PoolerCheck(connect).refuse_pooler(connection, session_of(connection))


@pytest.mark.parametrize("durable", [True, False])
def test_a_transaction_knows_its_time_from_its_beginning(url: str, make_store: StoreMaker, durable: bool) -> None:
    store = make_store(url)

    def times(connection: Connection) -> tuple[datetime, datetime, str]:
        others = connection.execute(text("SELECT now(), current_setting('synchronous_commit')")).one()
        return store.now(connection), others[0], others[1]

    known, its_time, synchronous_commit = store.write(times, durable=durable)

    assert known == its_time
    assert synchronous_commit == ("on" if durable else "off")
    assert store.clock.now() > known
    assert store.write(times)[0] > known


def test_a_write_that_fails_is_rolled_back(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)

    def fail(connection: Connection) -> None:
        ensure_queues(connection, ["deliver:new"])
        connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(StoreRefused):
        store.write(fail)

    assert "deliver:new" not in [queue.name for queue in store.queues.all()]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_does_not_store_utf_8_is_refused(
    postgres_server: PostgresServer, make_store: StoreMaker, encoding: str
) -> None:
    name = f"encoded_{encoding.lower()}"
    postgres_server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    store = make_store(postgres_server.url(name))

    with unavailable(NOT_UTF8):
        store.upgrade_schema()
    with unavailable(NOT_UTF8):
        store.receipts.add(new_receipt())
