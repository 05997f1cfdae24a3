"""Fixtures of the store's tests: a new database of each kind, open stores; builders of receipts and heartbeats."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from app.domain.heartbeat import Heartbeat
from app.domain.receipt import NewReceipt, SignedWith
from app.store import Limits, Store, StoreUnavailable
from app.store.engine.sqlite import driver, path_of
from tests.support.postgres import PostgresServer
from tests.support.tracing import traced_once

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
KINDS = ("sqlite", "postgresql")
UNHURRIED = Limits(lock_seconds=600, read_seconds=600, write_seconds=600, idle_seconds=600)
"""Limits for tests that are not about limits: a busy machine may be slow."""

StoreMaker = Callable[..., Store]


@dataclass(frozen=True)
class Databases:
    """A source of databases of one kind; each call returns the URL of another one."""

    kind: str
    empty: Callable[[], str]
    migrated: Callable[[], str]


def new_receipt(body: bytes = b"{}", *, minute: int = 0, signed_with: SignedWith = "current") -> NewReceipt:
    """Return a receipt that came this many minutes after noon."""
    return NewReceipt(body, NOON + timedelta(minutes=minute), signed_with)


def heartbeat(process: str = "host:1", *, minute: int = 0, kind: str = "worker", version: str = "1") -> Heartbeat:
    """Return a heartbeat, last renewed this many minutes after noon."""
    return Heartbeat(process, kind, version, NOON, NOON + timedelta(minutes=minute))


def unavailable(reason: str) -> pytest.RaisesExc[StoreUnavailable]:
    """Expect `StoreUnavailable` with exactly this reason, in a `with` statement."""
    return pytest.raises(StoreUnavailable, match=f"^{re.escape(reason)}$")


def sqlite_databases(folder: Path) -> Databases:
    """Return a source of SQLite files in this folder."""
    numbers = iter(range(1, 1000))

    def empty() -> str:
        return f"sqlite:///{folder}/data{next(numbers)}/wats.sqlite3"

    def migrated() -> str:
        url = empty()
        put_migrated_file(path_of(url))
        return url

    return Databases("sqlite", empty, migrated)


def put_migrated_file(path: Path) -> None:
    """Put a SQLite file with the schema at head there, unless there is one. It was migrated once, and is copied."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_migrated_file(driver().sqlite_version_info))


@cache
def _migrated_file(_version: tuple[int, ...]) -> bytes:
    """Return the bytes of a file that is migrated with a library of this version, on which its journal depends."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "wats.sqlite3"
        Store(f"sqlite:///{path}", min_free_bytes=0, cooperative=False).upgrade_schema()
        return path.read_bytes()


@pytest.fixture(params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """Run the test once for each kind of database."""
    if request.param == "sqlite":
        yield sqlite_databases(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    taken: list[str] = []

    def migrated() -> str:
        taken.append(server.migrated_database())
        return taken[-1]

    yield Databases("postgresql", server.empty_database, migrated)
    for url in taken:
        server.give_back(url)


@pytest.fixture
def url(databases: Databases) -> str:
    """Return the URL of a database with the schema at head."""
    with traced_once(f"{databases.kind} migrated"):
        return databases.migrated()


@pytest.fixture
def make_store() -> Iterator[StoreMaker]:
    """Open a store on a URL; close it after the test."""
    made: list[Store] = []

    def make(url: str, **options: Any) -> Store:
        store = Store(url, **{"min_free_bytes": 0, "cooperative": False, "limits": UNHURRIED, **options})
        made.append(store)
        with traced_once(f"store of {url.partition(':')[0]}, {sorted(options)}"):
            store.open()
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(url: str, make_store: StoreMaker) -> Store:
    """Open a store on a new database."""
    return make_store(url)
