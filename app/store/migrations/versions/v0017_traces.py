"""The trace that a receipt, an event and a message belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add a column to each, without rewriting a row. Older code writes NULL into it."""
    for table in ("events", "messages", "receipts"):  # in the order of locks: each is locked until the commit
        op.add_column(table, sa.Column("trace", sa.LargeBinary))
