"""Inserts rows, or changes those that are there: one statement for all of them on PostgreSQL, for 500 on SQLite."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, TextClause, bindparam, text

from app.store.engine.bulk_insert import ROWS_AT_ONCE, for_driver, rows_of_parameters

_PARAMETER = re.compile(r":(\w+)")


class BulkUpsert:
    """Inserts rows of the same columns. `on_conflict`: what follows in the statement; `types`: of its parameters.

    No two of the rows may conflict with each other. PostgreSQL's driver takes about 50 µs for each execution of a
    statement, and a few for one more row of arrays. `returning`: a column of the rows that are inserted or changed.
    """

    def __init__(
        self, table: Table, *columns: str, on_conflict: str, returning: str | None = None, **types: Any
    ) -> None:
        self.table = table
        self._into = f"INSERT INTO {table.name} AS old ({', '.join(columns)})"
        self._then = on_conflict if returning is None else f"{on_conflict} RETURNING {returning}"
        self._returns = returning is not None
        self._columns = {name: table.c[name].type for name in columns}
        self._types = types
        self._all_at_once: TextClause | None = None

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]], **values: Any) -> list[Any]:
        """Insert these rows, or change those that are there. `values` are the parameters of `on_conflict`.

        Return the returned column of each row that was inserted or changed.
        """
        if not rows:
            return []
        if connection.dialect.name == "postgresql":
            self._all_at_once = self._all_at_once if self._all_at_once is not None else self._of_arrays(connection)
            lists = {name: [row[name] for row in rows] for name in self._columns}
            results = [connection.execute(self._all_at_once, {**lists, **values})]
        else:
            results = [
                connection.exec_driver_sql(*self._of_rows(connection, rows[start : start + ROWS_AT_ONCE], values))
                for start in range(0, len(rows), ROWS_AT_ONCE)
            ]
        return [returned for result in results if self._returns for returned in result.scalars()]

    def _of_rows(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
    ) -> tuple[str, tuple[Any, ...]]:
        """Return SQLite's statement for this number of rows, and its parameters."""
        parameters = _PARAMETER.findall(self._then)
        columns = [[row[name] for row in rows] for name in self._columns]
        given = for_driver(connection, self._columns.values(), columns)
        more = for_driver(
            connection, [self._types[name] for name in parameters], [[values[name]] for name in parameters]
        )
        statement = f"{self._into} VALUES {rows_of_parameters(len(self._columns), len(rows))} "
        return statement + _PARAMETER.sub("?", self._then), (*given, *more)

    def _of_arrays(self, connection: Connection) -> TextClause:
        """Return the statement for PostgreSQL, made when it is first used: its dialect is not loaded without it."""
        names = {name: kind.compile(connection.dialect).partition("(")[0] for name, kind in self._columns.items()}
        arrays = ", ".join(f"CAST(:{name} AS {type_name}[])" for name, type_name in names.items())
        return _bound(
            f"{self._into} SELECT * FROM unnest({arrays}) AS given WHERE true {self._then}",  # noqa: S608 - ours
            {name: ARRAY(kind) for name, kind in self._columns.items()} | self._types,
        )


def _bound(statement: str, types: Mapping[str, Any]) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, type_=kind) for name, kind in types.items()))
