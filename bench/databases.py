"""Databases to measure on: an empty one each time, or one that already holds a million receipts."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.prepare import prepare
from tests.support.postgres import PostgresServer

Environ = dict[str, str]


class Databases:
    """Hands out environments, each with a database at head in a folder of its own."""

    def __init__(self, folder: Path | None) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        self._folder.chmod(0o755)  # PostgreSQL's user must get through
        self._filled: dict[tuple[str, int], Environ] = {}
        self._server: PostgresServer | None = None

    def close(self) -> None:
        """Leave nothing behind."""
        if self._server is not None:
            self._server.stop()
        self._stack.close()

    def environ(self, kind: str, receipts: int) -> Environ:
        """For a database of this kind with so many receipts. One that took long to fill is used again."""
        known = self._filled.get((kind, receipts))
        if known is not None:
            return known
        environ = self.without_database()
        if kind == "postgresql":
            environ["WATS_DRY_RUN_DATABASE_URL"] = self._postgres().empty_database()
        prepare(environ, receipts)
        if receipts:
            self._filled[kind, receipts] = environ
        return environ

    def without_database(self) -> Environ:
        """For a server that needs none."""
        data = tempfile.mkdtemp(dir=self._folder)
        return {"WATS_DATA_DIR": data, "WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml"}

    def _postgres(self) -> PostgresServer:
        if self._server is None:
            self._server = PostgresServer(self._folder / "postgres", durable=True)
            self._server.start()
        return self._server


@contextmanager
def databases(folder: Path | None) -> Iterator[Databases]:
    """Databases that are gone when the block ends."""
    made = Databases(folder)
    try:
        yield made
    finally:
        made.close()
