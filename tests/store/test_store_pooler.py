"""PostgreSQL behind a real PgBouncer: a transaction pooler is refused by name, a session pooler works."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from app.store import StoreUnavailable
from app.store.engine import postgres
from tests.support.live import write_config
from tests.support.pgbouncer import needs_pgbouncer, pgbouncer
from tests.support.postgres import PostgresServer
from tests.support.serving import environment, free_port, run
from tests.support.store import StoreMaker, new_receipt, unavailable

pytestmark = needs_pgbouncer

REFUSED = (
    "the database's URL leads to a transaction pooler (PgBouncer in transaction mode, a pooled URL), which gives a"
    " connection no session of its own; use the database's direct URL, or a pooler in session mode"
)


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.migrated_database()


@pytest.fixture
def pooled(postgres_server: PostgresServer, url: str) -> Iterator[str]:
    """The URL of the database through PgBouncer in transaction mode."""
    with pgbouncer(postgres_server, url, "pool_mode = transaction") as pooled:
        yield pooled


def use_by_others(url: str, connections: int) -> None:
    """Let other clients open this many sessions of the pool, and leave them to it."""
    held = [psycopg.connect(url.replace("+psycopg", "")) for _ in range(connections)]
    for connection in held:
        connection.execute("SELECT 1")
    for connection in held:
        connection.close()


@pytest.mark.parametrize("options", [(), ("server_round_robin = 1",), ("default_pool_size = 1",)])
@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_transaction_pooler_is_refused(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker, options: tuple[str, ...], others: int
) -> None:
    with pgbouncer(postgres_server, url, "pool_mode = transaction", *options) as pooled:
        use_by_others(pooled, min(others, 1) if "default_pool_size = 1" in options else others)

        store = make_store(pooled)

        with unavailable(REFUSED):
            store.receipts.add(new_receipt())


def test_nothing_half_works_behind_a_transaction_pooler(
    postgres_server: PostgresServer, url: str, pooled: str, make_store: StoreMaker
) -> None:
    store = make_store(pooled)

    checks = store.checks()
    with unavailable(REFUSED):
        store.upgrade_schema()
    with pytest.raises(postgres.connection_errors()), postgres.listening(pooled, ["wats_work"]):
        pass

    assert checks["database"] == checks["schema"] == REFUSED


def test_a_refused_pooler_keeps_no_setting_of_ours(pooled: str, make_store: StoreMaker) -> None:
    """Its sessions belong to other clients, too."""
    store = make_store(pooled)

    with pytest.raises(StoreUnavailable):
        store.receipts.add(new_receipt())

    with closing(psycopg.connect(pooled.replace("+psycopg", ""))) as other:
        assert other.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_a_session_pooler_works(postgres_server: PostgresServer, url: str, make_store: StoreMaker) -> None:
    with pgbouncer(postgres_server, url, "pool_mode = session") as pooled:
        store = make_store(pooled)

        for number in range(20):
            store.receipts.add(new_receipt(b"%d" % number))
        with postgres.listening(pooled, ["wats_work"]):
            store.upgrade_schema()

        assert store.receipts.counts().total == 20
        store.close()


def test_the_check_needs_one_session_more_for_a_moment(
    postgres_server: PostgresServer, url: str, make_store: StoreMaker
) -> None:
    """One session for the pool, and one for the check, then for the listener."""
    options = ("pool_mode = session", "default_pool_size = 2", "query_wait_timeout = 10")
    with pgbouncer(postgres_server, url, *options) as pooled:
        store = make_store(pooled)

        store.receipts.add(new_receipt())
        with postgres.listening(pooled, ["wats_work"]):
            total = store.receipts.counts().total

        assert total == 1
        store.close()


def test_serve_does_not_start_behind_a_transaction_pooler(pooled: str, tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(config.read_text() + "    storage: { url: { env: TEST_DATABASE_URL } }\n")
    environ = environment(tmp_path, TEST_DATABASE_URL=pooled, WATS_PORT=str(free_port()))

    refused = run("serve", "--config", str(config), "--live", "--yes-live", environ=environ)

    assert refused.returncode == 1
    assert REFUSED in refused.stderr
    assert "Traceback" not in refused.stderr
