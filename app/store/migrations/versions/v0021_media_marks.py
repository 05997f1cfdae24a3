"""The mark of the folder of media, and the machines on which the folder is another one."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the tables. Older code neither reads nor changes them, and heeds no mark."""
    op.create_table(
        "media_marks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("current", sa.String(32), nullable=False),
        sa.Column("previous", sa.String(32)),
        sa.Column("seen_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "media_folder_problems",
        sa.Column("machine", sa.String(200), primary_key=True),
        sa.Column("problem", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
