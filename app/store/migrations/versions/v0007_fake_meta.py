"""The state of the fake Meta, for dry-runs."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import RowId, UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table. Nothing that older code uses is changed."""
    op.create_table(
        "fake_meta",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(600), nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("fake_meta_name", "fake_meta", ["name"], unique=True)
    op.create_index("fake_meta_updated", "fake_meta", ["updated_at"])
