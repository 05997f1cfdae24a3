"""The store: its repositories, its life cycle and its health."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, func, select, text

from app.domain.database_identity import Identity, Owner
from app.domain.message import MessageStatus
from app.store.disk import OK, DiskGuard
from app.store.engine import sqlite
from app.store.engine.database import Database, Limits, open_database
from app.store.engine.errors import StoreError, StoreMissing, StoreUnavailable
from app.store.engine.postgres import started_at
from app.store.engine.sqlite_rewrite import rewrite_file
from app.store.engine.write import Channel, Failpoint, Work, Write
from app.store.last_commit import LastCommit
from app.store.migrations.upgrade import SchemaStatus, no_schema, read_status, upgrade_schema
from app.store.notify.select import notifier_for
from app.store.outage import Outage
from app.store.owner import known_identity, refuse_foreign_tables
from app.store.readiness import check_schema, probe_writing
from app.store.repositories import Repositories
from app.store.tables.message_changes import recording
from app.store.tables.types import UtcDateTime

T = TypeVar("T")

PROVEN_SECONDS = 2.0


def ignore_failpoint(_name: str) -> None:
    """Pass a point at which a crash test may kill the process."""


def ignore_broken() -> None:
    """Do not end this process when its database breaks: it does nothing else, or ends anyway."""


class Store(Repositories):
    """Everything that the gateway remembers. A new store touches nothing; after `open` it connects when first used.

    `cooperative`: this process runs under gevent. `source`: the variable or setting that names the database, for
    messages. `owner`: the gateway that opens the database; None checks no owner. `on_broken` is called
    once, when an I/O error or a replaced file has broken the store for this process, which must then end; `is_broken`
    says so. `recorded`: the statuses of messages whose changes become events.
    """

    is_broken = False
    _identity: Identity | None = None
    _opened: Database | None = None

    def __init__(
        self,
        url: str,
        *,
        min_free_bytes: int,
        cooperative: bool,
        source: str = "the database's URL",
        owner: Owner | None = None,
        on_failpoint: Failpoint = ignore_failpoint,
        on_broken: Callable[[], None] = ignore_broken,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] | None = None,
        recorded: frozenset[MessageStatus] = frozenset(),
    ) -> None:
        self.kind: Literal["sqlite", "postgresql"] = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._url = url
        self._cooperative = cooperative
        self.source = source
        self._owner = owner
        self._on_failpoint = on_failpoint
        self._on_broken = on_broken
        self._limits = limits
        self._clock = clock
        self._recorded = recorded
        self.outage = Outage(self.explain)
        self.last_commit = LastCommit(self.outage)
        self.notifier = notifier_for(url, cooperative=cooperative)
        self._folder = sqlite.path_of(url).parent if self.kind == "sqlite" else None
        self._disk = DiskGuard(self._folder, min_free_bytes)
        super().__init__(self)

    def open(self) -> None:
        """Prepare the store for use in this process. A database that is down is no error: it may come up later."""
        self._opened = open_database(
            self._url,
            self.notifier,
            cooperative=self._cooperative,
            on_failpoint=self._on_failpoint,
            on_broken=self._note_broken,
            limits=self._limits,
        )
        self.receipts.open(cooperative=self._cooperative)
        self.messages.open(cooperative=self._cooperative)

    def close(self) -> None:
        """Close everything. Later calls raise `StoreUnavailable`."""
        self.receipts.close()
        self.messages.close()
        self.notifier.close()
        opened, self._opened, self._identity = self._opened, None, None
        if opened is not None:
            opened.close()

    @property
    def database(self) -> Database:
        """Return the open database. Raise `StoreUnavailable` while it is closed, and `StoreNotOurs`."""
        if self._owner is not None:
            self.identity()
        return self._connected()

    def identity(self) -> Identity:
        """Return the identity of the database. Raise `StoreNotOurs` if its owner is another."""
        if self._identity is None:
            self._identity = self._connected().read(lambda c: known_identity(c, self._owner))
        return self._identity

    def write(self, work: Work[T], *channels: Channel, durable: bool = True, found: Sequence[Channel] = ()) -> T:
        """Commit the work in one transaction, wake the channels' listeners, and return its result; see `Write`."""
        result = self.database.write(Write(recording(work, self._recorded), durable, channels, found))
        self.outage.over()
        return result

    @property
    def channels_of_changes(self) -> tuple[Channel, ...]:
        """The channels to notify when a message may have changed, which may have to become an event."""
        return ("work",) if self._recorded else ()

    def now(self, connection: Connection) -> datetime:
        """Return the time. On PostgreSQL it is the server's, so that all machines agree on when a lease ends."""
        if self._clock is not None:
            return self._clock()
        if self.kind == "postgresql":
            return started_at(connection) or connection.execute(select(func.now(type_=UtcDateTime))).scalar_one()
        return datetime.now(UTC)

    def checks(self) -> dict[str, str]:
        """Return `ok` or the problem for each check. It raises nothing and names neither a path nor a secret.

        Any stranger may read them: the log has the cause and the cure.
        """
        schema = self._check(lambda: check_schema(self._connected()))
        writable = self._check(self._check_writing) if schema == OK else schema
        if schema == writable == OK:
            self.outage.over()
        return {"database": writable, "schema": schema, "disk": self._disk.check()}

    def explain(self, error: StoreError) -> str:
        """Return for the operator why the store is unavailable, with the cure, and what names the database."""
        return f"{error.for_operator} (see {self.source})"

    def refuse_on_full_disk(self) -> None:
        """Raise `StoreUnavailable` while too little disk space is left to store anything safely."""
        if (disk := self._disk.check()) != OK:
            raise StoreUnavailable(disk)

    def free_bytes(self) -> int | None:
        """Return the free space of a SQLite file's disk; None for a server's, or where it cannot be read."""
        return self._disk.free_bytes()

    def upgrade_schema(self) -> SchemaStatus:
        """Upgrade the schema to this code's head. Several processes may call this at once."""
        return upgrade_schema(self._url, self._owner, self._on_failpoint, self._limits)

    def rewrite_file(self) -> None:
        """Rewrite a SQLite file, so that it holds only what is stored. No process writes meanwhile; see there."""
        rewrite_file(self._url, self._limits.lock_seconds, self._on_failpoint)

    def schema_status(self) -> SchemaStatus:
        """Return the schema's version and whether this code can work with it. Raise `StoreNotOurs`."""
        try:
            status = self._connected().read(read_status)
        except StoreMissing:
            return no_schema()
        if status.compatible:
            self.identity()
        return status

    def refuse_foreign_tables(self) -> None:
        """Raise `StoreNotOurs` if this database, which has no schema, has another program's tables in its place."""
        with suppress(StoreMissing):
            self._connected().read(refuse_foreign_tables)

    def describe(self) -> dict[str, Any]:
        """Return versions and modes, for diagnostics."""
        return self.database.read(_describe)

    def _connected(self) -> Database:
        if self._opened is None:
            raise StoreUnavailable("the store is closed")
        return self._opened

    def _check(self, check: Callable[[], str]) -> str:
        try:
            result = check()
            problem: StoreError | None = None if result == OK else StoreUnavailable(result)
        except StoreError as error:
            result, problem = str(error), error
        if problem is not None:
            self.outage.met(problem)
        return result

    def _check_writing(self) -> str:
        self.identity()
        if not self.last_commit.is_within(PROVEN_SECONDS):
            probe_writing(self._connected(), self._folder, needs_room=self.last_commit.has_failed)
            self.last_commit.has_failed = False
        return OK

    def _note_broken(self) -> None:
        self.is_broken = True
        self._on_broken()


def _describe(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        return {"server": connection.execute(text("SHOW server_version")).scalar_one()}
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return {"library": sqlite.driver().sqlite_version, "journalMode": mode}
