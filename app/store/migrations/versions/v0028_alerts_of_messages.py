"""The alert that a failed message raises, so that nothing reads all failures to find those that raise one."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the column. Messages that failed before, and those that older code lets fail, have NULL."""
    op.add_column("messages", sa.Column("alert", sa.String(20)))
