"""The store's front: what rooms may ask of it. Each question is one transaction."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, func, select, text

from app.store.consumers import Consumers
from app.store.deliveries import Deliveries
from app.store.engine import sqlite
from app.store.engine.database import Database, Failpoint, Limits, go_on, no_failpoint, open_database
from app.store.engine.errors import StoreMissing, StoreUnavailable
from app.store.events import Events
from app.store.heartbeats import Heartbeats
from app.store.jobs import Jobs
from app.store.migrations.upgrade import SchemaStatus, no_schema, read_status, upgrade_schema
from app.store.notify.notifier import Channel
from app.store.notify.select import notifier_for
from app.store.queues import Queues
from app.store.readiness import OK, DiskGuard, LastCommit, check_schema, probe_writing
from app.store.receipts import Receipts
from app.store.retention import Retention
from app.store.tables.types import UtcDateTime

T = TypeVar("T")

PROVEN_SECONDS = 2.0


class Store:
    """Everything that is remembered. Made without touching anything; `open` connects, lazily.

    `is_broken`: its disk or file failed this process, which is then good for nothing more.
    """

    def __init__(
        self,
        url: str,
        *,
        min_free_bytes: int,
        cooperative: bool,
        on_failpoint: Failpoint = no_failpoint,
        on_broken: Callable[[], None] = go_on,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.kind: Literal["sqlite", "postgresql"] = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._url = url
        self._cooperative = cooperative
        self._on_point = on_failpoint
        self._on_broken = on_broken
        self._limits = limits
        self._clock = clock
        self._opened: Database | None = None
        self.is_broken = False
        self.last_commit = LastCommit()
        self.notifier = notifier_for(url, cooperative=cooperative)
        folder = sqlite.path_of(url).parent if self.kind == "sqlite" else None
        self._disk = DiskGuard(folder, min_free_bytes)
        self.receipts = Receipts(self)
        self.events = Events(self)
        self.consumers = Consumers(self)
        self.retention = Retention(self)
        self.jobs = Jobs(self)
        self.queues = Queues(self)
        self.deliveries = Deliveries(self)
        self.heartbeats = Heartbeats(self)

    def open(self) -> None:
        """Get ready to work in this process. A database that is down is no error: it may come."""
        self._opened = open_database(
            self._url,
            cooperative=self._cooperative,
            on_failpoint=self._on_point,
            on_broken=self._note_broken,
            limits=self._limits,
        )
        self.receipts.open(cooperative=self._cooperative)

    def close(self) -> None:
        """Let go of everything. What is asked afterwards is refused."""
        self.receipts.close()
        self.notifier.close()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    @property
    def database(self) -> Database:
        """The open database."""
        if self._opened is None:
            raise StoreUnavailable("the store is closed")
        return self._opened

    def write_and_notify(self, work: Callable[[Connection], T], *channels: Channel) -> T:
        """The work's result, once it is durable; and whoever listens to these channels is woken."""

        def work_and_notify(connection: Connection) -> T:
            result = work(connection)
            self.notifier.notify_in_transaction(connection, *channels)
            return result

        result = self.database.write(work_and_notify)
        self.notifier.notify_after_commit(*channels)
        return result

    def now(self, connection: Connection) -> datetime:
        """Now. PostgreSQL's clock, once in a transaction: the machines that share it agree on when a lease ends."""
        if self._clock is not None:
            return self._clock()
        if self.kind == "postgresql":
            return connection.execute(select(func.now(type_=UtcDateTime))).scalar_one()
        return datetime.now(UTC)

    def checks(self) -> dict[str, str]:
        """Each check with `ok` or what is wrong; never raises, and never tells a place or a secret."""
        try:
            database = self.database
        except StoreUnavailable as error:
            return {"database": str(error), "schema": str(error), "disk": self._disk.check()}
        writable = schema = check_schema(database)
        if schema == OK and not self.last_commit.is_within(PROVEN_SECONDS):
            writable = probe_writing(database)
        return {"database": writable, "schema": schema, "disk": self._disk.check()}

    def refuse_on_full_disk(self) -> None:
        """Raise `StoreUnavailable` while too little room is left to store anything safely."""
        if (disk := self._disk.check()) != OK:
            raise StoreUnavailable(disk)

    def upgrade_schema(self) -> SchemaStatus:
        """Bring the schema to this code's head; many processes may ask at once."""
        return upgrade_schema(self._url, self._on_point)

    def schema_status(self) -> SchemaStatus:
        """How the schema stands to this code."""
        try:
            return self.database.read(read_status)
        except StoreMissing:
            return no_schema()

    def describe(self) -> dict[str, Any]:
        """Versions and modes, for diagnostics."""
        return self.database.read(_describe)

    def _note_broken(self) -> None:
        self.is_broken = True
        self._on_broken()


def _describe(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        return {"server": connection.execute(text("SHOW server_version")).scalar_one()}
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return {"library": sqlite.driver().sqlite_version, "journalMode": mode}
