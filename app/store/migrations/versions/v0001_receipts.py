"""Receipts, heartbeats, and the oldest code that can use the schema."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import RowId, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Add the first tables."""
    _add_receipts()
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    compatibility = op.create_table("schema_compatibility", sa.Column("oldest_code", sa.String(10), nullable=False))
    op.bulk_insert(compatibility, [{"oldest_code": revision}])


def _add_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("duplicates", sa.Integer, nullable=False),
        sa.Column("differing", sa.Integer, nullable=False),
        sa.Column("signed_with", sa.String(8), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("receipts_digest", "receipts", ["digest"], unique=True)
    for state in ("pending", "unreadable"):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"receipts_{state}", "receipts", ["id"], sqlite_where=where, postgresql_where=where)
