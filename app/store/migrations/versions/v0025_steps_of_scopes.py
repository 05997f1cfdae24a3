"""How far a paused scope has come that goes on step by step, and how often it was refused before."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the columns. Older code neither reads nor writes them: a pause of its own ends by one answer."""
    op.add_column("send_scopes", sa.Column("steps", sa.Integer))
    op.add_column("send_scopes", sa.Column("last_trips", sa.Integer))
