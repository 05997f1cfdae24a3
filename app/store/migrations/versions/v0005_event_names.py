"""Further names of an event's contact, read out of the events that are stored."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.further_names import further_names
from app.store.tables.types import RowId

revision = "0005"
down_revision = "0004"

EVENTS_AT_ONCE = 500

_EVENTS = sa.text("SELECT id, wa_id, user_id, document FROM events WHERE id > :after ORDER BY id LIMIT :limit")
_INSERT = sa.text("INSERT INTO event_names (event, name) VALUES (:event, :name)")


def upgrade() -> None:
    """Add the table, and the names. Nothing that older code uses is changed."""
    op.create_table(
        "event_names",
        sa.Column("event", RowId, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(200), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("event_names_name", "event_names", ["name", "event"])
    read_names(op.get_bind())


def read_names(connection: sa.Connection) -> None:
    """Add the further names of every event."""
    after = 0
    while rows := connection.execute(_EVENTS, {"after": after, "limit": EVENTS_AT_ONCE}).all():
        found = [{"event": row.id, "name": name} for row in rows for name in further_names(row)]
        if found:
            connection.execute(_INSERT, found)
        after = rows[-1].id
