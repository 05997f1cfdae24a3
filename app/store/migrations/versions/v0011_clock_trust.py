"""When a worker last looked at the clock, and until when nothing is deleted or expires on its word."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add two columns. Older code neither reads nor writes them."""
    op.add_column("clock_jump", sa.Column("seen_at", UtcDateTime))
    op.add_column("clock_jump", sa.Column("doubted_until", UtcDateTime))
