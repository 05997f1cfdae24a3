"""When the breaker of a queue was open last: an alert about a destination lasts for a while after it."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add a column. Older code neither reads nor writes it."""
    op.add_column("queues", sa.Column("was_open_at", UtcDateTime))
