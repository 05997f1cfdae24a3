"""Column types, printable text and lists of a bounded length that both databases take alike."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator, TypeEngine

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit id. SQLite makes a column its row id only if it is declared INTEGER."""

MAX_ROW_ID = 2**63 - 1
MAX_REASON_LENGTH = 200
CHUNK_SIZE = 500


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC timestamp. SQLite has no such type and stores microseconds since 1970, which sort correctly."""

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
        timestamp: datetime = EPOCH + value * MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return timestamp


def printable_excerpt(text: str) -> str:
    """Return the text as one short line. PostgreSQL refuses NUL and half a surrogate pair."""
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_REASON_LENGTH])


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split a list into pieces that fit into the parameters of one statement; none if it is empty."""
    return (items[start : start + CHUNK_SIZE] for start in range(0, len(items), CHUNK_SIZE))
