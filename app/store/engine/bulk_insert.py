"""Inserts many rows with one call of the driver: by COPY into PostgreSQL, by one statement into SQLite."""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, bindparam, func, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

ROWS_AT_ONCE = 500
FEW_ROWS = 8
"""COPY takes a round trip more than INSERT, and pays for it with some ten rows."""

UNFIT = (ValueError, TypeError, ArithmeticError, struct.error)
"""What the driver raises for a value that it cannot pass to the server."""

Row = Sequence[object]


class BulkInsert:
    """Inserts rows of the same columns.

    Of 1,000 events, COPY takes a tenth of the processor time of SQLAlchemy's multi-row INSERT here, and half of it in
    the server.
    """

    def __init__(self, table: Table, *columns: str) -> None:
        self.table = table
        self.columns = columns
        self._insert = insert(table)
        self._copy_text = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"

    def execute(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert these rows, each with a value for each column."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            insert_rows(connection, self.table, [dict(zip(self.columns, row, strict=True)) for row in rows], {})
        elif len(rows) > FEW_ROWS:
            self._copy(connection, rows)
        else:
            connection.execute(self._insert, [dict(zip(self.columns, row, strict=True)) for row in rows])

    def _copy(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Copy, with the errors that SQLAlchemy would raise."""
        driver: Any = connection.connection.driver_connection
        types = [_type_of(self.table, name, connection) for name in self.columns]
        base: Any = connection.dialect.loaded_dbapi.Error
        try:
            with driver.cursor() as cursor, cursor.copy(self._copy_text) as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
        except base as error:
            raise DBAPIError.instance(
                self._copy_text, None, error, base, hide_parameters=True, connection_invalidated=driver.closed
            ) from error
        except UNFIT as error:
            raise StatementError(str(error), self._copy_text, None, error, hide_parameters=True) from error


def allocate_ids(connection: Connection, table: Table, number: int) -> Sequence[int]:
    """Return so many ids for new rows of the table, in the order of future ones. On SQLite its lock is held."""
    if connection.dialect.name == "postgresql":
        sequence = func.nextval(f"{table.name}_id_seq", type_=BigInteger)
        return connection.execute(select(sequence).select_from(func.generate_series(1, number))).scalars().all()
    last = connection.execute(_LAST_ID, {"of_table": table.name}).scalar_one_or_none() or 0
    return range(last + 1, last + 1 + number)


_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :of_table").bindparams(bindparam("of_table"))


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], constants: Mapping[str, str]
) -> None:
    """Insert rows of the same columns, up to 500 with each call of the driver. `constants`: SQL that is in each row.

    A call releases the interpreter's lock once and waits for it once; a call for each row would do so for each row.
    SQLAlchemy's own multi-row statements take twice the processor time, and this is the hottest path.
    """
    names = tuple(rows[0])
    writers = [
        table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        values = [
            value if write is None else write(value)
            for row in chunk
            for value, write in zip(row.values(), writers, strict=True)
        ]
        connection.exec_driver_sql(
            _insert_text(table.name, names, len(chunk), tuple(constants.items())), tuple(values)
        )


@lru_cache(maxsize=ROWS_AT_ONCE)
def _insert_text(table: str, names: tuple[str, ...], rows: int, constants: tuple[tuple[str, str], ...]) -> str:
    columns = ", ".join([*names, *(name for name, _ in constants)])
    row = ", ".join([*("?" * len(names)), *(sql for _, sql in constants)])
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([f'({row})'] * rows)}"  # noqa: S608 - all of it is ours


def _type_of(table: Table, column: str, connection: Connection) -> str:
    """Return PostgreSQL's name of a column's type, without a length: the server checks that."""
    return str(table.c[column].type.compile(connection.dialect)).lower().partition("(")[0]
