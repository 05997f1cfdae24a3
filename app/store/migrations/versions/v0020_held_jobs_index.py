"""The index by which the held messages of a scope are found when it goes on."""

from sqlalchemy import text

from app.store.migrations.indexes import build_index

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the index. Nothing that older code uses is changed."""
    where = text("held_by IS NOT NULL")
    columns = ["held_by", "queue", "due_at", "id"]
    build_index("jobs_held", "jobs", columns, sqlite_where=where, postgresql_where=where)
