"""The last jump of the clock, for the alert that tells of it."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a table of one row. Nothing that older code uses is changed."""
    clock_jump = op.create_table(
        "clock_jump",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime),
        sa.Column("seconds", sa.BigInteger),
    )
    op.bulk_insert(clock_jump, [{"id": 1}])
