"""Databases to measure on: a new empty one each time, or one that already holds a million receipts."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.assembly import build_gateway
from app.config import load_settings
from app.domain.receipt import NewReceipt
from app.store import Store
from tests.support.postgres import PostgresServer

BATCH = 5000
BODY_BYTES = 1000

Environ = dict[str, str]


class Databases:
    """Makes environments, each with a database at head in a folder of its own."""

    def __init__(self, folder: Path | None) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        self._folder.chmod(0o755)  # PostgreSQL's user must be able to enter it
        self._filled: dict[tuple[str, int], Environ] = {}
        self._server: PostgresServer | None = None

    def close(self) -> None:
        """Stop the server and delete the folder."""
        if self._server is not None:
            self._server.stop()
        self._stack.close()

    def environ(self, kind: str, receipts: int) -> Environ:
        """Return the environment of a database of this kind with this many receipts. A filled one is reused."""
        filled = self._filled.get((kind, receipts))
        if filled is not None:
            return filled
        environ = self.new(kind)
        prepare(environ, receipts)
        if receipts:
            self._filled[kind, receipts] = environ
        return environ

    def new(self, kind: str) -> Environ:
        """Return the environment of a database that is still empty."""
        environ = self.without_database()
        if kind == "postgresql":
            environ["WATS_DRY_RUN_DATABASE_URL"] = self._postgres().empty_database()
        return environ

    def without_database(self) -> Environ:
        """Return the environment of a server that needs no database."""
        data = tempfile.mkdtemp(dir=self._folder)
        return {"WATS_DATA_DIR": data, "WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml"}

    @property
    def port_of_server(self) -> int:
        """The port of the PostgreSQL server."""
        return self._postgres().port

    @property
    def pid_of_server(self) -> int:
        """The parent process of the PostgreSQL server."""
        return self._postgres().pid

    def _postgres(self) -> PostgresServer:
        if self._server is None:
            self._server = PostgresServer(self._folder / "postgres", durable=True)
            self._server.start()
        return self._server


@contextmanager
def databases(folder: Path | None) -> Iterator[Databases]:
    """Yield databases that are deleted when the block ends."""
    databases = Databases(folder)
    try:
        yield databases
    finally:
        databases.close()


@contextmanager
def opened(environ: Mapping[str, str]) -> Iterator[Store]:
    """Yield the store of a gateway."""
    store = build_gateway(load_settings(environ=environ)).store
    store.open()
    try:
        yield store
    finally:
        store.close()


def prepare(environ: Mapping[str, str], receipts: int) -> None:
    """Bring the database to head and add this many distinct receipts of 1 KB."""
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
