"""The account of each number, where a profile lists several accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column. Older code does not write it; the next webhook of a number tells its account."""
    op.add_column("send_numbers", sa.Column("waba_id", sa.String(64)))
