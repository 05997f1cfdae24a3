"""The marks before the newest two, those of the folder before, and when the newest one was made."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the columns. Older code neither reads nor changes them: the next renewal sets them."""
    op.add_column("media_marks", sa.Column("earlier", sa.String(32)))
    op.add_column("media_marks", sa.Column("former", sa.String(100)))
    op.add_column("media_marks", sa.Column("renewed_at", UtcDateTime))
    op.execute("UPDATE media_marks SET renewed_at = seen_at")
