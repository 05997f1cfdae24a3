"""Jobs of held messages know the scope that holds them back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the column. Older code neither reads nor writes it: what it holds back is looked at within the hour."""
    op.add_column("jobs", sa.Column("held_by", sa.String(100)))
