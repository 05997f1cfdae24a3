"""Column types that mean the same in both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
RowId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit id; SQLite makes a key of its own only for a column declared INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment. SQLite, which knows no such type, keeps microseconds since 1970: they sort."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = EPOCH + value * MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return moment


MAX_REASON_LENGTH = 200


def printable_excerpt(text: str) -> str:
    """The text as one short line: PostgreSQL takes neither NUL nor half a surrogate pair."""
    return "".join(each if each.isprintable() else "?" for each in text[:MAX_REASON_LENGTH])
