"""The store's front: what rooms may ask of it. Each question is one transaction."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, text

from app.domain.heartbeat import Heartbeat
from app.domain.receipt import NewReceipt, Receipt, ReceiptState, Stored
from app.store import heartbeats, postgres, receipts, sqlite
from app.store.bell import Channel, bell_for
from app.store.checks import OK, DiskGuard, check_schema, probe_writing
from app.store.consumers import Consumers
from app.store.database import Database, LastCommit, Limits, Point, go_on, no_point, open_database
from app.store.errors import StoreUnavailable
from app.store.events import Events
from app.store.group_commit import GroupCommit
from app.store.intake import add_receipts
from app.store.migrate import SchemaStatus, read_status, upgrade_schema
from app.store.receipts import ReceiptCounts
from app.store.retention import Retention

T = TypeVar("T")

PROVEN_SECONDS = 2.0


class Store:
    """Everything that is remembered. Made without touching anything; `open` connects, lazily."""

    def __init__(
        self,
        url: str,
        *,
        min_free_bytes: int,
        cooperative: bool,
        on_point: Point = no_point,
        on_broken: Callable[[], None] = go_on,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self.kind: Literal["sqlite", "postgresql"] = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._url = url
        self._cooperative = cooperative
        self._on_point = on_point
        self._on_broken = on_broken
        self._limits = limits
        self._opened: Database | None = None
        self.last_commit = LastCommit()
        self.bell = bell_for(url, cooperative=cooperative)
        folder = sqlite.path_of(url).parent if self.kind == "sqlite" else None
        self._disk = DiskGuard(folder, min_free_bytes)
        self.receipts = Receipts(self)
        self.events = Events(self)
        self.consumers = Consumers(self)
        self.retention = Retention(self)
        self.heartbeats = Heartbeats(self)

    def open(self) -> None:
        """Get ready to work in this process. A database that is down is no error: it may come."""
        self._opened = open_database(
            self._url,
            cooperative=self._cooperative,
            on_point=self._on_point,
            on_broken=self._on_broken,
            limits=self._limits,
        )
        self.receipts.open(cooperative=self._cooperative)

    def close(self) -> None:
        """Let go of everything. What is asked afterwards is refused."""
        self.receipts.close()
        self.bell.close()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    @property
    def database(self) -> Database:
        """The open database."""
        if self._opened is None:
            raise StoreUnavailable("the store is closed")
        return self._opened

    def write_and_ring(self, work: Callable[[Connection], T], *channels: Channel) -> T:
        """The work's result, once it is durable; and whoever listens to these channels is woken."""

        def work_and_ring(connection: Connection) -> T:
            result = work(connection)
            self.bell.within(connection, *channels)
            return result

        result = self.database.write(work_and_ring)
        self.bell.after(*channels)
        return result

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
        return self.database.read(read_status)

    def describe(self) -> dict[str, Any]:
        """Versions and modes, for diagnostics."""
        return self.database.read(_describe)


class Receipts:
    """What Meta sent, byte for byte."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._group: GroupCommit[NewReceipt, Stored] | None = None

    def open(self, *, cooperative: bool) -> None:
        self._group = GroupCommit(self.add_all) if cooperative else None

    def close(self) -> None:
        if self._group is not None:
            self._group.close()
        self._group = None

    def add(self, receipt: NewReceipt) -> Stored:
        """Keep one receipt, together with those that other greenlets add; it is durable on return."""
        self._store.refuse_on_full_disk()
        if self._group is None:
            return self.add_all([receipt])[0]
        return self._group.add(receipt, len(receipt.body))

    def add_all(self, new: Sequence[NewReceipt]) -> list[Stored]:
        """Keep several receipts in one transaction; they are durable on return."""

        def add(connection: Connection) -> list[Stored]:
            if connection.dialect.name == "postgresql":
                postgres.queue_up(connection)
            return add_receipts(connection, new)

        with self._store.last_commit.noted():
            return self._store.write_and_ring(add, "work")

    def get(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id, if there is one."""
        row_id = receipts.row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: receipts.get_receipt(c, row_id))

    def body(self, receipt_id: str) -> bytes | None:
        """The exact bytes that Meta sent."""
        row_id = receipts.row_id_of(receipt_id)
        return None if row_id is None else self._store.database.read(lambda c: receipts.get_body(c, row_id))

    def page(self, *, state: ReceiptState | None, before: str | None, limit: int) -> list[Receipt]:
        """Receipts from the newest to the oldest; those older than the receipt `before`."""
        row_id = None if before is None else receipts.row_id_of(before) or 0
        return self._store.database.read(
            lambda c: receipts.page_of_receipts(c, state=state, before=row_id, limit=limit)
        )

    def counts(self) -> ReceiptCounts:
        """How many receipts stand where."""
        return self._store.database.read(receipts.count_receipts)

    def reprocess(self, receipt_id: str) -> Receipt | None:
        """Put a receipt back in line, to be split again."""
        row_id = receipts.row_id_of(receipt_id)
        if row_id is None:
            return None

        def reprocess(connection: Connection) -> Receipt | None:
            receipts.reprocess_receipt(connection, row_id)
            return receipts.get_receipt(connection, row_id)

        return self._store.write_and_ring(reprocess, "work")


class Heartbeats:
    """Signs of life of processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note that a process is alive."""
        self._store.database.write(lambda c: heartbeats.beat(c, heartbeat))

    def forget(self, process: str) -> None:
        """A process has gone in order."""
        self._store.database.write(lambda c: heartbeats.forget(c, process))

    def latest(self, kind: str) -> list[Heartbeat]:
        """The processes of a kind, the one that gave a sign last first."""
        return self._store.database.read(lambda c: heartbeats.latest(c, kind))


def _describe(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        return {"server": connection.execute(text("SHOW server_version")).scalar_one()}
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return {"library": sqlite.driver().sqlite_version, "journalMode": mode}
