"""A gevent web process on a real database: hundreds of greenlets, none blocked by what fails beside it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.store.engine import postgres, sqlite
from app.store.engine.file_lock import FileLock
from tests.store.children import Start
from tests.support.postgres import PostgresServer
from tests.support.store import Databases, StoreMaker, sqlite_databases

LATE = "the database does not answer in time"
REFUSED = "the database does not answer or reported an error"


def test_three_hundred_greenlets_each_get_their_own_result(url: str, start: Start) -> None:
    child = start("cooperative_process", "add_in_a_crowd", url)

    assert child.hear() == {"accepted": 100, "duplicate": 200}
    assert child.hear() == [*range(100)]
    assert child.hear() == [2]
    assert child.hear() == ["the store is closed"]
    assert child.succeeds()


def test_threads_that_connect_at_the_same_time_all_read(tmp_path: Path, start: Start) -> None:
    """They shared a lock of SQLAlchemy, which gevent had patched: a thread that waited for it did so for ever."""
    child = start("cooperative_process", "connect_at_once", sqlite_databases(tmp_path).migrated())

    assert child.hear() == [None] * 20
    assert child.succeeds()


def test_closing_fails_the_callers_that_wait_and_leaves_a_whole_transaction_or_none(
    databases: Databases, start: Start, make_store: StoreMaker
) -> None:
    url = databases.migrated()

    child = start("cooperative_process", "close_while_writing", url)

    assert child.hear() == ["the store is closed"] * 9
    assert child.succeeds()
    assert make_store(url).receipts.counts().total in ((0, 9) if databases.kind == "sqlite" else (0,))


def test_a_claim_that_was_given_up_claims_nothing_when_it_gets_the_lock(tmp_path: Path, start: Start) -> None:
    """Its jobs would be in flight, and no worker would have them."""
    child = start("cooperative_process", "give_up_and_ask_again", sqlite_databases(tmp_path).migrated())

    assert child.hear() == [LATE]
    assert child.hear() == ["split"]
    assert child.succeeds()


@contextmanager
def locked_by_another_program(url: str) -> Any:
    connection = sqlite.driver().connect(sqlite.path_of(url), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


@contextmanager
def locked_by_another_gateway(url: str) -> Any:
    lock = FileLock(sqlite.path_of(url))
    with lock.held():
        yield
    lock.close()


@contextmanager
def locked_on_the_server(url: str) -> Any:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (postgres.RECEIPTS_LOCK,))
        yield


@pytest.fixture
def frozen(postgres_server: PostgresServer) -> Callable[[str], AbstractContextManager[None]]:
    @contextmanager
    def frozen(url: str) -> Any:
        postgres_server.freeze()
        try:
            yield
        finally:
            postgres_server.thaw()

    return frozen


def go_through(
    trouble: AbstractContextManager[None], start: Start, url: str, *, read_seconds: float = 600
) -> dict[str, Any]:
    """Return what a web process says during a trouble. It ticks all the while, and serves again afterwards."""
    child = start("cooperative_process", "meet_trouble", url, read_seconds)
    assert child.hear() == "warm"
    with trouble:
        child.go_on()
        heard: dict[str, Any] = child.hear()
        heard["schema"] = child.hear()
        ticks = child.hear()
    child.go_on()
    assert ticks > 20
    assert child.hear() is True
    assert child.hear() == ["accepted"] * 3
    assert child.succeeds()
    return heard


@pytest.mark.parametrize("lock", [locked_by_another_program, locked_by_another_gateway])
def test_a_locked_file_delays_only_writers_and_they_give_up(
    sqlite_url: str, start: Start, lock: Callable[[str], AbstractContextManager[None]]
) -> None:
    heard = go_through(lock(sqlite_url), start, sqlite_url)

    assert heard == {"added": [LATE], "read": [True], "written": [LATE], "schema": "ok"}


def test_a_lock_on_the_server_delays_only_adding_receipts(postgres_server: PostgresServer, start: Start) -> None:
    url = postgres_server.migrated_database()

    heard = go_through(locked_on_the_server(url), start, url)

    assert heard == {"added": [LATE], "read": [True], "written": [True], "schema": "ok"}


def test_every_call_to_a_frozen_server_gives_up(
    postgres_server: PostgresServer, start: Start, frozen: Callable[[str], AbstractContextManager[None]]
) -> None:
    url = postgres_server.migrated_database()

    heard = go_through(frozen(url), start, url, read_seconds=2)

    assert heard.pop("schema") in (LATE, REFUSED)
    for call in ("read", "added", "written"):  # refused: the deadline struck while a connection was pinged
        assert set(heard.pop(call)) <= {LATE, REFUSED}
    assert heard == {}


def test_a_greenlet_that_is_killed_while_a_connection_is_pinged_ends(
    postgres_server: PostgresServer, start: Start, frozen: Callable[[str], AbstractContextManager[None]]
) -> None:
    """The driver replaced the exception that was to end it, and a worker that was told to stop never did."""
    url = postgres_server.migrated_database()
    child = start("cooperative_process", "end_while_pinging", url)
    assert child.hear() == "warm"

    with frozen(url):
        child.go_on()

        assert child.hear() is True


@pytest.fixture
def sqlite_url(tmp_path: Any) -> str:
    return sqlite_databases(tmp_path).migrated()
