"""The index by which the failed messages are found whose alert older code has not judged."""

from sqlalchemy import text

from app.store.migrations.indexes import build_index

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the index. Nothing that older code uses is changed; workers judge what it holds, and it is empty then."""
    where = text("status = 'failed' AND alert IS NULL")
    build_index("messages_unjudged", "messages", ["id"], sqlite_where=where, postgresql_where=where)
