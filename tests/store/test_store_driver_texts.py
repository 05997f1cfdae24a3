"""What is given to the driver as text does what its expression in SQLAlchemy Core does, which is ten times dearer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    case,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from app import store as package
from app.store import Store, transactions
from app.store.engine.bulk_insert import COPIED_BYTES, FEW_ROWS, ROWS_AT_ONCE, BulkInsert
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.tables import sending
from app.store.tables.message_schema import conversations, idempotency_keys
from app.store.tables.schema import clock_jump, receipts
from app.store.tables.types import UtcDateTime
from app.store.transactions import add_receipts, reserve_keys, touch_conversations
from tests.support.store import NOON

HOUR = timedelta(hours=1)
COMPARED = {"engine/bulk_insert.py", "engine/bulk_upsert.py"}
WITHOUT_EXPRESSION = {
    "engine/postgres.py",  # BEGIN with the time, and NOTIFY with COMMIT, each in one round trip
    "engine/sqlite_free_pages.py",  # zeroblob
    "engine/sqlite_gaps.py",
    "engine/sqlite_marks.py",
    "readiness.py",
    "store.py",
}
"""Files with a text for which Core has no expression: the others hold a PRAGMA."""

Row = dict[str, Any]


def found(kind: type[Any]) -> list[Any]:
    """Return all statements of this kind that the store's modules hold, in the order of their tables."""
    modules = [
        import_module(module.name) for module in walk_packages(transactions.__path__, "app.store.transactions.")
    ]
    held = {id(value): value for module in [*modules, sending] for value in vars(module).values()}
    return sorted((value for value in held.values() if isinstance(value, kind)), key=lambda value: value.table.name)


LENGTHS = (8, 8, COPIED_BYTES - 6, COPIED_BYTES, 8)
"""How long values without a fixed length are, but for six bytes: SQLite's driver gets large ones in another way."""

VALUES: Sequence[tuple[type[Any], Callable[[Any, int], Any]]] = (
    (String, lambda kind, number: f"{number} '%s\\:x ä\n"[: kind.length]),
    (
        LargeBinary,
        lambda kind, number: b"\0\xff%%s?" + number.to_bytes(kind.length - 6 if kind.length else LENGTHS[number % 5]),
    ),
    (UtcDateTime, lambda _, number: NOON + number * timedelta(microseconds=1)),
    (Boolean, lambda _, number: number % 2 == 0),
    (BigInteger, lambda _, number: number - 2**62),
    (Integer, lambda _, number: 2**31 - 1 - number),
)
"""What the driver could get wrong, by the type of a column; each number has another value."""


def value_of(column: Column[Any], number: int) -> Any:
    """Return a value for a column: a small one of a key, and every third one NULL where it may be."""
    if column.nullable and number % 3 == 0:
        return None
    if column.primary_key and isinstance(column.type, Integer):
        return number + 1
    return next(make(column.type, number) for kind, make in VALUES if isinstance(column.type, kind))


def rows_of(table: Table, names: Sequence[str], count: int) -> list[Row]:
    return [{name: value_of(table.c[name], number) for name in names} for number in range(count)]


def after(store: Store, *steps: Callable[[Connection], Any], table: Table, without: Sequence[str] = ()) -> Any:
    """Return the result of the last of these steps, and the rows that they leave, without these columns."""
    content = select(*(column for column in table.columns if column.name not in without)).order_by(*table.primary_key)

    def work(connection: Connection) -> Any:
        taken_back = connection.begin_nested()
        *_, last = [step(connection) for step in steps]
        left = [tuple(row) for row in connection.execute(content)]
        taken_back.rollback()
        return last, left

    return store.write(work)


@pytest.mark.parametrize("count", [1, FEW_ROWS + 1, ROWS_AT_ONCE + 1])
def test_a_bulk_insert_stores_what_core_would(store: Store, count: int) -> None:
    for inserting in found(BulkInsert):
        table, generated = inserting.table, [] if "id" in inserting.columns else ["id"]
        rows = rows_of(table, inserting.columns, count)
        needed = {column.name for column in table.columns if not column.nullable} - {*inserting.columns, *generated}
        alike = {name: value_of(table.c[name], 1) for name in sorted(needed)}

        by_text = partial(insert_by_text, inserting=inserting, rows=rows, alike=alike)
        by_core = partial(insert_by_core, table=table, rows=[row | alike for row in rows])

        text, core = (after(store, step, table=table, without=generated) for step in (by_text, by_core))
        assert text == core, table.name


def insert_by_text(connection: Connection, *, inserting: BulkInsert, rows: list[Row], alike: Row) -> None:
    values = [tuple(row.values()) for row in rows]
    if alike:
        assert len(set(inserting.add(connection, values, **alike))) == len(rows)
    else:
        inserting.execute(connection, values)


def insert_by_core(connection: Connection, *, table: Table, rows: list[Row]) -> None:
    connection.execute(insert(table), rows)


def test_new_receipts_are_stored_as_core_would(store: Store) -> None:
    constant = add_receipts._NEW
    rows = rows_of(receipts, add_receipts._COLUMNS, ROWS_AT_ONCE + 1)
    plain = {name: sql.strip("'") if sql.startswith("'") else int(sql) for name, sql in constant.items()}

    values = [tuple(row.values()) for row in rows]

    by_text = after(store, partial(add_receipts._insert, rows=values), table=receipts, without=["id"])
    by_core = partial(insert_by_core, table=receipts, rows=[row | plain for row in rows])

    assert by_text == after(store, by_core, table=receipts, without=["id"])


def upsert(connection: Connection, table: Table) -> Any:
    """Return the INSERT … ON CONFLICT of this database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def of_pair(new: Any, _given: Row) -> Any:
    changed = {name: new.excluded[name] for name in ("full_at", "refusals", "paused_until")}
    return new.on_conflict_do_update(index_elements=["phone_number_id", "contact"], set_=changed)


def of_conversation(new: Any, _given: Row) -> Any:
    old, excluded = conversations.c, new.excluded

    def newer(name: str) -> Any:
        return case((old[name] > excluded[name], old[name]), else_=func.coalesce(excluded[name], old[name]))

    changed = {name: func.coalesce(excluded[name], old[name]) for name in ("wa_id", "user_id")}
    changed |= {name: newer(name) for name in ("last_inbound_at", "last_outbound_at")}
    return new.on_conflict_do_update(
        index_elements=["phone_number_id", "contact"], set_={**changed, "updated_at": excluded.updated_at}
    )


def of_link(new: Any, _given: Row) -> Any:
    changed = {name: new.excluded[name] for name in ("contact", "former")}
    return new.on_conflict_do_update(index_elements=["name"], set_=changed)


def of_brief_key(new: Any, given: Row) -> Any:
    changed = {name: new.excluded[name] for name in ("request_sha256", "message", "created_at")}
    is_free = idempotency_keys.c.created_at < given["expired"]
    return new.on_conflict_do_update(index_elements=["sha256"], set_=changed, where=is_free)


def of_key(new: Any, given: Row) -> Any:
    changed = {name: new.excluded[name] for name in ("request_sha256", "message", "created_at")}
    doubted, seen = clock_jump.c.doubted_until, clock_jump.c.seen_at
    is_calm = doubted.is_(None) | (doubted <= given["asked_at"])
    is_trusted = select(1).where(seen.is_(None) | ((seen >= given["watched_since"]) & is_calm)).exists()
    is_free = (idempotency_keys.c.created_at < given["expired"]) & is_trusted
    return new.on_conflict_do_update(index_elements=["sha256"], set_=changed, where=is_free)


CORE: Mapping[int, Callable[[Any, Row], Any]] = {
    id(sending._PUT_PAIRS): of_pair,
    id(touch_conversations._TOUCH): of_conversation,
    id(touch_conversations._LINK): of_link,
    id(reserve_keys._RESERVE_BRIEFLY): of_brief_key,
    id(reserve_keys._RESERVE): of_key,
}
TIMES: tuple[datetime | None, ...] = (None, NOON - HOUR, NOON, NOON + HOUR)
GIVEN = {"expired": NOON, "watched_since": NOON - HOUR, "asked_at": NOON}
CLOCKS = [
    {"seen_at": seen_at, "doubted_until": doubted_until}
    for seen_at, doubted_until in product((None, NOON - 2 * HOUR, NOON - HOUR, NOON), TIMES)
]


def stored_and_new(table: Table, columns: Sequence[str]) -> Iterator[tuple[Row, Row]]:
    """Yield pairs of rows with one key: each time of one beside each time of the other."""
    times = [name for name in columns if isinstance(table.c[name].type, UtcDateTime)]
    possible = [[time for time in TIMES if time or table.c[name].nullable] for name in 2 * times]
    pairs = product(*possible) if times else ((),) * 3
    for number, of_both in enumerate(pairs):
        key = {column.name: value_of(column, number + 1) for column in table.primary_key}
        old, new = ({name: value_of(table.c[name], 2 * number + side) for name in columns} | key for side in (0, 1))
        yield (
            old | dict(zip(times, of_both, strict=False)),
            new | dict(zip(times, of_both[len(times) :], strict=True)),
        )


def upsert_by_text(connection: Connection, *, upserting: BulkUpsert, rows: list[Row], given: Row) -> list[bytes]:
    return sorted(map(bytes, upserting.execute(connection, rows, **given)))


def upsert_by_core(connection: Connection, *, upserting: BulkUpsert, rows: list[Row], given: Row) -> list[bytes]:
    statement = CORE[id(upserting)](upsert(connection, upserting.table), given)
    if not upserting._returns:
        connection.execute(statement, rows)
        return []
    [returned] = upserting.table.primary_key
    each = (connection.execute(statement.values(row).returning(returned)) for row in rows)
    return sorted(bytes(value) for result in each for value in result.scalars())


def test_a_bulk_upsert_changes_and_returns_what_core_would(store: Store) -> None:
    for upserting in found(BulkUpsert):
        table, given = upserting.table, {name: GIVEN[name] for name in upserting._types}
        pairs = list(stored_and_new(table, list(upserting._columns)))
        old, new = [old for old, _ in pairs[1:]], [new for _, new in pairs]  # the first one conflicts with nothing

        for clock in CLOCKS if "asked_at" in given else CLOCKS[:1]:
            steps = [
                (
                    lambda connection, clock=clock: connection.execute(clock_jump.update().values(clock)),
                    partial(insert_by_core, table=table, rows=old),
                    partial(step, upserting=upserting, rows=new, given=given),
                )
                for step in (upsert_by_text, upsert_by_core)
            ]

            text, core = (after(store, *each, table=table) for each in steps)
            assert text == core, (table.name, clock)


def test_every_text_for_the_driver_is_compared_or_has_no_expression() -> None:
    root = Path(package.__file__).parent

    texts = {str(path.relative_to(root)) for path in root.rglob("*.py") if "exec_driver_sql(" in path.read_text()}

    assert texts == COMPARED | WITHOUT_EXPRESSION
    assert {id(upserting) for upserting in found(BulkUpsert)} == set(CORE)
