"""Records, transaction by transaction, which rows the store locks or changes, and checks the order of locks.

A statement is recorded with the rows that it is about to lock. Just before it runs, a SELECT with the same condition
finds them. SQLite locks no rows, but the statements and their order are the same.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from sqlalchemy import Column, Connection, Delete, Engine, Insert, Select, Table, TextClause, Update, event, select
from sqlalchemy.sql import visitors

from app.domain.job import SINGLETON_QUEUES
from app.domain.message import queue_of_number
from app.store import transactions
from app.store.engine.bulk_insert import BulkInsert
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.engine.database import PostgresDatabase, SqliteDatabase
from app.store.tables.schema import events
from app.store.transactions.apply_statuses import STATUS_LOCK

PLACES = re.findall(r"^ {4}(idempotency keys → .*)$", transactions.__doc__ or "", re.MULTILINE)[0].split(" → ")
INSERTED = re.compile(r"INSERT INTO (\w+)")
OF_ATTENTION = ("alerts", "refused_webhooks")
"""A transaction that changes alerts holds the lock on the split job; refused webhooks are changed alone."""

READS = {database.read.__code__ for database in (SqliteDatabase, PostgresDatabase)}


def _order() -> list[str]:
    """The order that the package's docstring promises, with the tables that it names in its notes."""
    places = list(PLACES)
    for name, at in (
        ("missing queues", "queues"),
        ("status lock", "messages"),
        ("message_changes", "contacts"),
        ("early_statuses", "contacts"),
        ("reconcile_cursors", "contacts"),
        ("erased_events", "receipts"),
        ("advisory lock", "receipts"),
    ):
        places.insert(places.index(at), name)
    return [
        *places,
        "event_names",
        "receipt_errors",
        "consumers",
        "heartbeats",
        "clock_jump",
        "fake_meta",
        "media_marks",
        "media_folder_problems",
        *OF_ATTENTION,
    ]


ORDER = _order()
PLACE_OF = {
    "jobs": "deliveries and jobs",
    "deliveries": "deliveries and jobs",
    "contact_links": "contacts",
    "conversations": "contacts",
    "idempotency_keys": "idempotency keys",
    "send_scopes": "scopes",
    "media_files": "media files",
}
CONFLICTING = {
    "queues": "missing queues",
    "consumers": "consumers",
    "erased_events": "erased_events",
    "idempotency_keys": "idempotency keys",
    "contact_links": "contacts",
    "conversations": "contacts",
    "send_scopes": "scopes",
    "refused_webhooks": "refused_webhooks",
}
"""Tables with an INSERT … ON CONFLICT, which may wait for another one, and its place in the order."""

OF_NUMBERS = ("send_numbers", "send_pairs")
"""Tables whose rows are changed with the lock on the queue of their number."""


@dataclass(frozen=True)
class Step:
    """Rows of one table that a statement takes. `waits`: for locks of other transactions. `by_key`: in this order."""

    table: str
    rows: tuple[Mapping[str, Any], ...]
    waits: bool = True
    by_key: bool = False
    place: str | None = None


@dataclass
class Recorded:
    """One transaction, the method of a repository that began it, and what it took."""

    method: str
    is_read: bool
    steps: list[Step] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What this transaction does against the order of locks, in words."""
        held = _Held()
        return [f"{self.method} {violation}" for step in self.steps for violation in held.violations_of(step)]


class _Held:
    """The rows that one transaction has locked so far, and how far it has come in the order."""

    def __init__(self) -> None:
        self._rows: set[tuple[str, Any]] = set()
        self._place = ORDER[0]
        self._last: dict[tuple[str, str], Any] = {}

    def violations_of(self, step: Step) -> Iterator[str]:
        """Take the rows of one more statement."""
        fresh = [row for row in step.rows if (step.table, row["key"]) not in self._rows]
        self._rows |= {(step.table, row["key"]) for row in fresh}
        guarded = [guard for row in fresh if (guard := _guard_of(step.table, row)) is not None]
        yield from (
            f"changes {step.table} without the lock on {guard}" for guard in guarded if guard not in self._rows
        )
        ordered = [row for row in fresh if step.waits and _guard_of(step.table, row) is None]
        if len(ordered) > 1 and not step.by_key:
            yield f"locks several {step.table} in no order"
        for row in ordered:
            yield from self._violations_of_row(step.table, step.place or _place_of(step.table, row), row["key"])

    def _violations_of_row(self, table: str, place: str, key: Any) -> Iterator[str]:
        if ORDER.index(place) < ORDER.index(self._place):
            yield f"locks {place} after {self._place}"
        elif self._last.get((place, table), key) > key:
            yield f"locks {table} {key} after {self._last[place, table]}"
        self._place = max(self._place, place, key=ORDER.index)
        self._last[place, table] = key


def _key_of(table: Table) -> Column[Any]:
    key, *_ = table.primary_key.columns
    return key


def _place_of(table: str, row: Mapping[str, Any]) -> str:
    if table == "jobs" and row["queue"] in SINGLETON_QUEUES:
        return "singleton jobs"
    return PLACE_OF.get(table, table)


def _guard_of(table: str, row: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The row whose lock makes another order needless: the queue of a job that waits, the event of a name if any."""
    if (table == "jobs" and row["due_at"] is None) or (table in OF_NUMBERS and "queue" in row):
        return "queues", row["queue"]
    if table == "event_names" and row["its_event"] is None:
        return None
    guards = {"event_names": "events", "receipt_errors": "receipts"}
    return (guards[table], row["key"]) if table in guards else None


class Recorder:
    """Every transaction of these methods while it is recording, and every function of the store that was called."""

    def __init__(self, methods: Mapping[CodeType, str]) -> None:
        self.transactions: list[Recorded] = []
        self.called: set[CodeType] = set()
        self._methods = methods
        self._open: dict[Connection, Recorded] = {}
        self._is_looking = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        listeners = (
            ("begin", self._begin),
            ("before_execute", self._before_execute),
            ("before_cursor_execute", self._before_driver),
        )
        for name, listener in listeners:
            event.listen(Engine, name, listener)
        sys.setprofile(self._note_call)
        try:
            yield
        finally:
            sys.setprofile(None)
            for name, listener in listeners:
                event.remove(Engine, name, listener)

    def _note_call(self, frame: FrameType, kind: str, _argument: object) -> None:
        if kind == "call":
            self.called.add(frame.f_code)
            if frame.f_code is BulkInsert.execute.__code__:
                self._note_bulk_insert(*(frame.f_locals[name] for name in ("self", "connection", "rows")))
            if frame.f_code is BulkUpsert.execute.__code__:
                self._note_bulk_upsert(*(frame.f_locals[name] for name in ("self", "connection", "rows")))

    def _note_bulk_insert(self, inserting: BulkInsert, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Record what no event of SQLAlchemy shows: COPY, and a statement of the driver."""
        if connection in self._open:
            inserted = [dict(zip(inserting.columns, row, strict=True)) for row in rows]
            waiting = [job for row in inserted if inserting.table.name == "jobs" for job in _waiting_jobs(row)]
            self._open[connection].steps.append(Step(inserting.table.name, tuple(waiting)))

    def _note_bulk_upsert(
        self, upserting: BulkUpsert, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        if connection in self._open:
            self._open[connection].steps += [_insertion(upserting.table.name, row) for row in rows]

    def _begin(self, connection: Connection) -> None:
        codes = [frame.f_code for frame in _stack()]
        method = next((self._methods[code] for code in codes if code in self._methods), None)
        self._open.pop(connection, None)
        if method is not None:
            self._open[connection] = Recorded(method, is_read=not READS.isdisjoint(codes))
            self.transactions.append(self._open[connection])

    def _before_execute(self, connection: Connection, element: Any, several: Any, one: Any, _options: object) -> None:
        if connection in self._open and not self._is_looking:
            self._is_looking = True
            try:
                steps = [step for values in several or [one] for step in _steps(connection, element, values)]
            finally:
                self._is_looking = False
            self._open[connection].steps += steps

    def _before_driver(
        self, connection: Connection, _cursor: object, sql: str, _values: object, context: Any, _many: bool
    ) -> None:
        """Record what is given to the driver as text: the bulk insert of receipts."""
        if connection in self._open and context.compiled is None and (inserted := INSERTED.match(sql)):
            self._open[connection].steps.append(Step(inserted[1], ()))


def _stack() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _steps(connection: Connection, element: Any, values: Mapping[str, Any]) -> Iterator[Step]:
    match element:
        case Select() if element._for_update_arg is not None:
            [table] = element.get_final_froms()
            query = element.with_only_columns(*_columns(table))
            by_key = _is_ordered_by_key(element, table)
            yield Step(table.name, _rows(connection, query, values), not element._for_update_arg.skip_locked, by_key)
        case Update() | Delete():
            query = select(*_columns(element.table)).where(*element._where_criteria)
            yield Step(element.table.name, _rows(connection, query, values), not _skips_locked(element))
        case Insert():
            yield Step(element.table.name, _waiting_jobs(values) if element.table.name == "jobs" else ())
        case TextClause() if inserted := INSERTED.match(element.text):
            yield from (_insertion(inserted[1], row) for row in _rows_in(values))
        case TextClause() if "pg_advisory" in element.text:
            is_of_statuses = str(STATUS_LOCK) in element.text
            yield Step("status lock" if is_of_statuses else "advisory lock", ({"key": 0},))


def _insertion(table: str, values: Mapping[str, Any]) -> Step:
    """The step of one row that is inserted by text."""
    rows: tuple[Mapping[str, Any], ...] = ({"key": _key_in(values)},) if table in CONFLICTING else ()
    if table in OF_NUMBERS:
        number = values["number"] if "number" in values else values["phone_number_id"]
        rows = ({"key": object(), "queue": queue_of_number(number)},)
    return Step(table, rows, by_key=True, place=CONFLICTING.get(table))


def _rows_in(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of a statement: one, or as many as its arrays are long."""
    arrays = {name: value for name, value in values.items() if isinstance(value, list)}
    if not arrays:
        return [values]
    return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]


def _key_in(values: Mapping[str, Any]) -> Any:
    """The primary key of a row that is to be inserted."""
    if "phone_number_id" in values:
        return values["phone_number_id"], values["contact"]
    return next((values[name] for name in ("name", "reason", "sha256") if name in values), b"")


def _rows(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(row._mapping) for row in connection.execute(query, dict(values)))


def _waiting_jobs(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The new job, if it may wait for another one: then its queue must be locked."""
    job = {"key": object(), "queue": values["queue"], "due_at": None}
    return () if values["order_key"] is None else (job,)


def _columns(table: Table) -> list[Any]:
    others: dict[str, list[Any]] = {
        "jobs": [table.c.get("queue"), table.c.get("due_at")],
        "event_names": [
            select(events.c.id).where(events.c.id == _key_of(table)).scalar_subquery().label("its_event")
        ],
    }
    return [_key_of(table).label("key"), *others.get(table.name, [])]


def _is_ordered_by_key(query: Select[Any], table: Table) -> bool:
    order = query._order_by_clauses
    return bool(order) and order[0] is _key_of(table)


def _skips_locked(element: Update | Delete) -> bool:
    return any(
        isinstance(part, Select) and part._for_update_arg is not None and part._for_update_arg.skip_locked
        for part in visitors.iterate(element)
    )
