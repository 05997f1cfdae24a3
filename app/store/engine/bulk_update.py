"""Updates many rows, each with values of its own: by one statement on PostgreSQL, by one call of SQLite's driver."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, Update, bindparam, func, update


class BulkUpdate:
    """Sets `columns` of the rows with given primary keys, and `others` alike in all of them.

    The caller has locked the rows: one statement for all of them locks in the order of its plan.
    """

    def __init__(self, table: Table, *columns: str, **others: Any) -> None:
        self._names = [table.primary_key.columns[0].name, *columns]
        self._columns = [table.c[name] for name in self._names]
        self._one_by_one = self._statement(
            table, [bindparam(f"row_{name}", type_=table.c[name].type) for name in self._names], others
        )
        lists = [bindparam(f"all_{column.name}", type_=ARRAY(column.type)) for column in self._columns]
        rows = func.unnest(*lists).table_valued(*self._names).render_derived(name="given")
        self._all_at_once = self._statement(table, [rows.c[name] for name in self._names], others)

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]], **values: Any) -> None:
        """Update these rows, each a key and the values of the columns. `values` are the parameters of `others`."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            lists = {
                f"all_{name}": list(column) for name, column in zip(self._names, zip(*rows, strict=True), strict=True)
            }
            connection.execute(self._all_at_once, {**lists, **values})
        else:
            names = [f"row_{name}" for name in self._names]
            connection.execute(self._one_by_one, [dict(zip(names, row, strict=True), **values) for row in rows])

    def _statement(self, table: Table, given: Sequence[Any], others: dict[str, Any]) -> Update:
        key, *columns = given
        new = {column.name: value for column, value in zip(self._columns[1:], columns, strict=True)}
        return update(table).where(self._columns[0] == key).values({**new, **others})
