"""The index of jobs by order key begins with it: PostgreSQL then has no other one by which it could look a key up."""

from sqlalchemy import text

from app.store.migrations.indexes import build_index, drop_index

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the index, and drop the one that began with the queue. Older code uses the new one by itself."""
    where = text("order_key IS NOT NULL")
    columns = ["order_key", "queue", "id"]
    build_index("jobs_order_key", "jobs", columns, sqlite_where=where, postgresql_where=where)
    drop_index("jobs_order", "jobs")
