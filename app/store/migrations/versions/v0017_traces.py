"""The trace that a receipt, an event and a message belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add a column to each, without rewriting a row. Older code writes NULL into it."""
    for table in ("receipts", "events", "messages"):
        op.add_column(table, sa.Column("trace", sa.LargeBinary))
