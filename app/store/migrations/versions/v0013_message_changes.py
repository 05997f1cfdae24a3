"""Changes of messages that are to become events."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import RowId, UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table. Older code neither reads nor writes it."""
    op.create_table(
        "message_changes",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("phone_number_id", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("message_changes_message", "message_changes", ["message"])
