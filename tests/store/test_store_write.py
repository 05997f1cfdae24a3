"""One write: it is given up as a whole, and it wakes listeners once its commit can be read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from app.store import Limits, Store
from app.store.engine import postgres, sqlite
from app.store.engine.database import Database, open_database
from app.store.engine.write import Channel, Transaction, Write
from app.store.store import ignore_broken, ignore_failpoint
from app.store.tables.schema import queues
from tests.support.store import unavailable

LATE = "the database does not answer in time"
NEW_QUEUE = {"name": "new", "paused": False, "disabled": False, "failures": 0, "trips": 0}


class Watcher:
    """A notifier that remembers which channels it was asked to notify, and whether the commit could be read then."""

    def __init__(self, reader: Store) -> None:
        self.in_transaction: list[tuple[Channel, ...]] = []
        self.after_commit: list[tuple[tuple[Channel, ...], int]] = []
        self._reader = reader

    def notify_in_transaction(self, connection: Connection, channels: tuple[Channel, ...]) -> None:
        self.in_transaction.append(channels)

    def notify_after_commit(self, channels: tuple[Channel, ...]) -> None:
        self.after_commit.append((channels, count(self._reader)))


def add_queue(connection: Connection) -> str:
    connection.execute(insert(queues).values(NEW_QUEUE))
    return "added"


def count(store: Store) -> int:
    """How many such queues every process sees."""
    found = select(func.count()).select_from(queues).where(queues.c.name == NEW_QUEUE["name"])
    return store.database.read(lambda c: c.execute(found).scalar_one())


@pytest.fixture
def watcher(store: Store) -> Watcher:
    return Watcher(store)


@pytest.fixture
def database(url: str, watcher: Watcher) -> Iterator[Database]:
    database = open_database(
        url,
        watcher,
        cooperative=False,
        on_failpoint=ignore_failpoint,
        on_broken=ignore_broken,
        limits=Limits(),
    )
    yield database
    database.close()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """What a database commits with."""
    if url.startswith("sqlite:"):
        engine = sqlite.writer_engine(url, lock_seconds=600)
    else:
        engine = postgres.engine_for(url, connections=1, pool_seconds=600, lock_seconds=600)
    yield engine
    engine.dispose()


def test_listeners_are_notified_once_the_commit_can_be_read(database: Database, watcher: Watcher) -> None:
    assert database.write(Write(add_queue, channels=("work", "events"))) == "added"

    assert watcher.in_transaction == [("work", "events")]
    assert watcher.after_commit == [(("work", "events"), 1)]


def test_a_write_that_fails_notifies_no_listener(database: Database, watcher: Watcher, store: Store) -> None:
    def fail(connection: Connection) -> None:
        add_queue(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(Write(fail, channels=("work",)))

    assert (watcher.in_transaction, watcher.after_commit) == ([], [])
    assert count(store) == 0


def wait_for_disk(connection: Connection) -> str:
    """How the commit of this transaction waits for the disk, in the database's own words."""
    if connection.dialect.name == "postgresql":
        return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())
    return str(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def test_only_a_durable_write_waits_for_the_disk(database: Database) -> None:
    waits = [database.write(Write(wait_for_disk, durable=durable)) for durable in (True, False, True)]

    full, normal = "2", "1"
    assert waits == ([full, normal, full] if database.kind == "sqlite" else ["on", "off", "on"])


def test_a_write_given_up_before_its_turn_does_no_work(engine: Engine, watcher: Watcher) -> None:
    done: list[Connection] = []
    transaction = Transaction(Write(done.append), watcher, ignore_failpoint)

    with pytest.raises(TimeoutError), transaction.abandoned_if_late():
        raise TimeoutError

    with unavailable(LATE):
        transaction.commit(engine)
    assert done == []


def test_a_write_given_up_while_it_works_is_rolled_back(engine: Engine, watcher: Watcher, store: Store) -> None:
    def give_up(point: str) -> None:
        if point == "before_commit":
            with pytest.raises(TimeoutError), transaction.abandoned_if_late():
                raise TimeoutError

    transaction = Transaction(Write(add_queue, channels=("work",)), watcher, give_up)

    with unavailable(LATE):
        transaction.commit(engine)

    assert count(store) == 0
    assert watcher.after_commit == []
