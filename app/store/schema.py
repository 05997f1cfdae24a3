"""The tables. Migrations bring a database here; nothing else changes its shape."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from app.store.types import RowId, UtcDateTime

metadata = MetaData()

receipts = Table(
    "receipts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("digest", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("events", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("signed_with", String(8), nullable=False),
    Column("body", LargeBinary, nullable=False),  # last, so that a list of receipts reads no bodies
    Index("receipts_digest", "digest", unique=True),
    Index(
        "receipts_pending", "id", sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'")
    ),
    Index(
        "receipts_unreadable",
        "id",
        sqlite_where=text("state = 'unreadable'"),
        postgresql_where=text("state = 'unreadable'"),
    ),
    sqlite_autoincrement=True,  # an id is never used twice, so that a cursor never skips
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("version", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

compatibility = Table(
    "schema_compatibility",
    metadata,
    Column("oldest_code", String(10), nullable=False),
)
"""One row: the oldest revision whose code can work with this schema. A migration that takes away raises it."""
