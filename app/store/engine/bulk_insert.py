"""Inserts many rows into SQLite with one call of its driver."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Table

ROWS_AT_ONCE = 500


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
