"""The condition that a column has one of many values: an array on PostgreSQL, a list of parameters on SQLite.

SQLAlchemy's `IN` has a parameter for each value, and so another text for each number of them, which SQLAlchemy
renders, the driver reads and the server parses anew. The text with an array is always the same.
"""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class one_of(FunctionElement[Any]):  # noqa: N801 - it reads as a function
    """The condition that the column has one of the values in the parameter with this name.

    It has no type: a Boolean would be compared with 1 for SQLite, which then uses no index.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        of_any_length = String() if isinstance(column.type, String) else column.type  # a cast would cut the values
        super().__init__(column, bindparam(parameter, type_=ARRAY(of_any_length)))


@compiles(one_of)
def _of_parameters(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return compiler.process(column.in_(bindparam(values.key, type_=column.type, expanding=True)), **options)


@compiles(one_of, "postgresql")
def _of_array(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"
