"""Inserts many rows with one call of the driver: by arrays or COPY into PostgreSQL, by one statement into SQLite."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, LargeBinary, Table, bindparam, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.types import TypeEngine

ROWS_AT_ONCE = 500
FEW_ROWS = 100
"""COPY takes a round trip more than a statement with an array for each column."""

UNFIT = (ValueError, TypeError, ArithmeticError, struct.error)
"""The exceptions of the driver for a value that it cannot pass to the server."""

COPIED_BYTES = 16 * 1024
"""A larger value is given to SQLite's driver as it is."""

Row = Sequence[object]
Constants = tuple[tuple[str, str], ...]


class BulkInsert:
    """Inserts rows of the same columns.

    Of 1,000 events, COPY takes a tenth of the processor time of SQLAlchemy's multi-row INSERT here, and half of it in
    the server.
    """

    def __init__(self, table: Table, *columns: str) -> None:
        self.table = table
        self.columns = columns
        self._statements: dict[tuple[str, ...], str] = {}

    def execute(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert these rows, each with a value for each column."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            insert_rows(connection, self.table, self.columns, rows)
        elif len(rows) > FEW_ROWS:
            self._copy(connection, self.columns, rows)
        else:
            self._insert_arrays(connection, rows, {})

    def add(self, connection: Connection, rows: Sequence[Row], **alike: object) -> Sequence[int]:
        """Insert these rows and return their ids, which follow their order. `alike` is the same in all of them."""
        is_postgres = connection.dialect.name == "postgresql"
        if is_postgres and len(rows) <= FEW_ROWS:
            return sorted(self._insert_arrays(connection, rows, alike, " RETURNING id").scalars())
        ids = allocate_ids(connection, self.table, len(rows))
        columns, same = ("id", *self.columns, *alike), tuple(alike.values())
        numbered = [(row_id, *row, *same) for row_id, row in zip(ids, rows, strict=True)]
        if is_postgres:
            self._copy(connection, columns, numbered)
        else:
            insert_rows(connection, self.table, columns, numbered)
        return ids

    def _insert_arrays(
        self, connection: Connection, rows: Sequence[Row], alike: Mapping[str, object], returning: str = ""
    ) -> CursorResult[Any]:
        """Insert into PostgreSQL by an array for each column, in the order of the rows."""
        arrays = dict(zip(self.columns, map(list, zip(*rows, strict=True)), strict=True))
        statement = self._statements.get(tuple(alike)) or self._statement(connection, tuple(alike))
        with _refusing_what_is_unfit(statement):
            return connection.exec_driver_sql(statement + returning, {**arrays, **alike})

    def _statement(self, connection: Connection, alike: tuple[str, ...]) -> str:
        """Return the statement for PostgreSQL, which is the same for any number of rows."""
        names = ", ".join(self.columns)
        arrays = ", ".join(f"%({name})s::{_type_of(self.table, name, connection)}[]" for name in self.columns)
        values = [f"%({name})s::{_type_of(self.table, name, connection)}" for name in alike]
        self._statements[alike] = (
            f"INSERT INTO {self.table.name} ({', '.join([*self.columns, *alike])})"  # noqa: S608 - all of it is ours
            f" SELECT {', '.join([names, *values])} FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, place)"
            " ORDER BY place"
        )
        return self._statements[alike]

    def _copy(self, connection: Connection, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Copy, with the errors that SQLAlchemy would raise."""
        driver: Any = connection.connection.driver_connection
        copied = f"COPY {self.table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        types = [_type_of(self.table, name, connection) for name in columns]
        base: Any = connection.dialect.loaded_dbapi.Error
        try:
            with (
                _refusing_what_is_unfit(copied),
                driver.cursor() as cursor,
                cursor.copy(copied) as copy,
            ):
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
        except base as error:
            raise DBAPIError.instance(
                copied, None, error, base, hide_parameters=True, connection_invalidated=driver.closed
            ) from error


@contextmanager
def _refusing_what_is_unfit(statement: str) -> Iterator[None]:
    """Raise SQLAlchemy's own error for a value that the driver cannot pass to the server."""
    try:
        yield
    except UNFIT as error:
        raise StatementError(str(error), statement, None, error, hide_parameters=True) from error


def allocate_ids(connection: Connection, table: Table, number: int) -> Sequence[int]:
    """Return this many ids for new rows of the table; later calls return higher ones. On SQLite its lock is held."""
    if connection.dialect.name == "postgresql":
        result = connection.exec_driver_sql(_NEXT_IDS, {"sequence": f"{table.name}_id_seq", "number": number})
        ids: list[int] = result.scalar_one()
        return ids
    last = connection.execute(_LAST_ID, {"of_table": table.name}).scalar_one_or_none() or 0
    return range(last + 1, last + 1 + number)


_NEXT_IDS = "SELECT array(SELECT nextval(%(sequence)s::regclass) FROM generate_series(1, %(number)s))"
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :of_table").bindparams(bindparam("of_table"))


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row], constants: Constants = ()
) -> None:
    """Insert rows of these columns, up to 500 with each call of the driver. `constants`: columns, each with SQL that
    is the same in all rows.

    A call releases the interpreter's lock once and waits for it once; a call for each row would do so for each row.
    SQLAlchemy's own multi-row statements take twice the processor time, and this is the hottest path.
    """
    nullable = [place for place, name in enumerate(names) if table.c[name].nullable]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        columns = list(zip(*rows[start : start + ROWS_AT_ONCE], strict=True))
        empty = {place for place in nullable if columns[place].count(None) == len(columns[place])}
        given = {names[place]: column for place, column in enumerate(columns) if place not in empty}
        values = for_driver(connection, [table.c[name].type for name in given], given.values())
        statement = _insert_text(table.name, tuple(given), len(columns[0]), constants)
        connection.exec_driver_sql(statement, values)


def for_driver(
    connection: Connection, types: Iterable[TypeEngine[Any]], columns: Iterable[Sequence[Any]]
) -> tuple[object, ...]:
    """Return the values of columns, row by row, as SQLite's driver takes those of these types."""
    written = [_written(connection.dialect, *column) for column in zip(types, columns, strict=True)]
    return tuple(chain.from_iterable(zip(*written, strict=True)))


def _written(dialect: Dialect, of_type: TypeEngine[Any], column: Sequence[Any]) -> Iterable[object]:
    """Return the values of a column as the driver takes them.

    The driver looks for an adapter of each value that is no int, float, str or bytearray, which takes more than a
    microsecond: twice as long as all the rest of binding it.
    """
    if isinstance(of_type, LargeBinary):
        return [bytearray(value) if value is not None and len(value) <= COPIED_BYTES else value for value in column]
    write = of_type.dialect_impl(dialect).bind_processor(dialect)
    if write is None:
        return column
    if column.count(column[0]) == len(column):  # as the time of the transaction
        return repeat(write(column[0]), len(column))
    return map(write, column)


@lru_cache(maxsize=ROWS_AT_ONCE)
def _insert_text(table: str, names: tuple[str, ...], rows: int, constants: Constants) -> str:
    columns = ", ".join([*names, *(name for name, _ in constants)])
    given = rows_of_parameters(len(names), rows, *(sql for _, sql in constants))
    return f"INSERT INTO {table} ({columns}) VALUES {given}"  # noqa: S608 - all of it is ours


def rows_of_parameters(columns: int, rows: int, *constants: str) -> str:
    """Return the parameters of this many rows for SQLite's VALUES, with these constants at the end of each row."""
    row = ", ".join([*("?" * columns), *constants])
    return ", ".join([f"({row})"] * rows)


def _type_of(table: Table, column: str, connection: Connection) -> str:
    """Return PostgreSQL's name of a column's type, without a length: the server checks that."""
    return str(table.c[column].type.compile(connection.dialect)).lower().partition("(")[0]
