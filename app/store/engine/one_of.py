"""The condition that a column has one of many values: an array on PostgreSQL, a JSON array on SQLite.

SQLAlchemy's `IN` has a parameter for each value, and so another text for each number of them, which SQLAlchemy
renders, the driver reads and the database parses anew. The text with an array is always the same. JSON has no bytes:
those are parameters on SQLite.

Both databases take a set as well as a list, find nothing for None, and refuse text with NUL.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Dialect, Integer, String, TableValuedAlias, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

_IN_JSON = (Integer, String)
"""Types whose values JSON has."""


_ESCAPED_NUL = r"\u0000"


class one_of(FunctionElement[Any]):  # noqa: N801 - it reads as a function
    """The condition that the column has one of the values in the parameter with this name.

    It has no type: a Boolean would be compared with 1 for SQLite, which then uses no index.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        of_any_length = String() if isinstance(column.type, String) else column.type  # a cast would cut the values
        super().__init__(column, bindparam(parameter, type_=ARRAY(of_any_length)))


class _Json(TypeDecorator[Collection[Any]]):
    """A collection as JSON."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Refuse NUL as PostgreSQL does: what finds nothing in the one database would be an error in the other."""
        as_json = json.dumps(None if value is None else list(value))
        if _ESCAPED_NUL in as_json and any("\0" in one for one in value or () if isinstance(one, str)):
            raise ValueError("PostgreSQL refuses text with NUL, and so does this")
        return as_json


@compiles(one_of)
def _of_json(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    if not isinstance(column.type, _IN_JSON):
        return compiler.process(column.in_(bindparam(values.key, type_=column.type, expanding=True)), **options)
    array = compiler.process(bindparam(values.key, type_=_Json()), **options)
    return f"{compiler.process(column, **options)} IN (SELECT value FROM json_each({array}))"  # noqa: S608 - ours


@compiles(one_of, "postgresql")
def _of_array(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


class each_of(FunctionElement[Any]):  # noqa: N801 - it reads as a function
    """The values in the parameter with this name, as a table with the column `value`. JSON must have their type."""

    inherit_cache = True

    def __init__(self, parameter: str, of_type: TypeEngine[Any]) -> None:
        super().__init__(bindparam(parameter, type_=ARRAY(of_type)))

    def table(self) -> TableValuedAlias:
        """Return the table for a FROM."""
        return self.table_valued("value", name="given")


@compiles(each_of)
def _rows_of_json(element: each_of, compiler: SQLCompiler, **options: Any) -> str:
    [values] = element.clauses
    return f"json_each({compiler.process(bindparam(values.key, type_=_Json()), **options)})"


@compiles(each_of, "postgresql")
def _rows_of_array(element: each_of, compiler: SQLCompiler, **options: Any) -> str:
    [values] = element.clauses
    return f"(SELECT unnest({compiler.process(values, **options)}) AS value)"
