"""Inserts rows, or changes those that are there: one statement for all of them on PostgreSQL, one call on SQLite."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, TextClause, bindparam, text


class BulkUpsert:
    """Inserts rows of the same columns. `on_conflict`: what follows in the statement.

    No two of the rows may conflict with each other. PostgreSQL's driver takes about 50 µs for each execution of a
    statement, and a few for one more row of arrays.
    """

    def __init__(self, table: Table, *columns: str, on_conflict: str, **constants: Any) -> None:
        self._into = f"INSERT INTO {table.name} AS old ({', '.join(columns)})"
        self._on_conflict = on_conflict
        self._types = {name: table.c[name].type for name in columns}
        self._constants = constants
        values = ", ".join(f":{name}" for name in columns)
        self._one_by_one = _bound(f"{self._into} VALUES ({values}) {on_conflict}", self._types | constants)
        self._all_at_once: TextClause | None = None

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Insert these rows, or change those that are there. `values` are further parameters of `on_conflict`."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            self._all_at_once = self._all_at_once if self._all_at_once is not None else self._of_arrays(connection)
            lists = {name: [row[name] for row in rows] for name in self._types}
            connection.execute(self._all_at_once, {**lists, **values})
        else:
            connection.execute(self._one_by_one, [{**row, **values} for row in rows])

    def _of_arrays(self, connection: Connection) -> TextClause:
        """Return the statement for PostgreSQL, made when it is first used: its dialect is not loaded without it."""
        names = {name: kind.compile(connection.dialect).partition("(")[0] for name, kind in self._types.items()}
        arrays = ", ".join(f"CAST(:{name} AS {type_name}[])" for name, type_name in names.items())
        return _bound(
            f"{self._into} SELECT * FROM unnest({arrays}) AS given WHERE true {self._on_conflict}",  # noqa: S608 - ours
            {name: ARRAY(kind) for name, kind in self._types.items()} | self._constants,
        )


def _bound(statement: str, types: Mapping[str, Any]) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, type_=kind) for name, kind in types.items()))
