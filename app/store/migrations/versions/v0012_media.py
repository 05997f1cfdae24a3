"""Media: the files that are fetched from Meta when their events arrive."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import RowId, UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table. Nothing that older code uses is changed."""
    op.create_table(
        "media_files",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("media_id", sa.String(64), nullable=False),
        sa.Column("phone_number_id", sa.String(64)),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("mime_type", sa.String(255), nullable=False),
        sa.Column("filename", sa.String(200)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("size", sa.BigInteger),
        sa.Column("url", sa.String(2000)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.String(200)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("media_files_media_id", "media_files", ["media_id"], unique=True)
    op.create_index("media_files_event", "media_files", ["event"])
    for state in ("dead", "deleted"):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            f"media_files_{state}", "media_files", ["id"], sqlite_where=condition, postgresql_where=condition
        )
