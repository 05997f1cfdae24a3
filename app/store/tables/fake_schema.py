"""The table of the fake Meta's state, which only a dry-run fills."""

from sqlalchemy import Column, Index, LargeBinary, String, Table

from app.store.tables.schema import metadata
from app.store.tables.types import RowId, UtcDateTime

fake_meta = Table(
    "fake_meta",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("name", String(600), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("fake_meta_name", "name", unique=True),
    Index("fake_meta_updated", "updated_at"),
    sqlite_autoincrement=True,
)
"""A value of the fake by its kind and key, or a webhook that waits: then its id is the subject of a job."""
