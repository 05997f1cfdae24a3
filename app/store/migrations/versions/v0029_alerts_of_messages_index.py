"""The index by which the failed messages that raise an alert are found."""

from sqlalchemy import text

from app.store.migrations.indexes import build_index

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the index. Nothing that older code uses is changed."""
    where = text("alert IS NOT NULL")
    build_index("messages_alert", "messages", ["alert", "updated_at"], sqlite_where=where, postgresql_where=where)
