"""A database's record of itself: its id, and whose it is."""

import secrets

import sqlalchemy as sa
from alembic import op

from app.store.tables.events import highest_sequence

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table with its one row. Whose the database is, the gateway that upgrades it records."""
    identity = op.create_table(
        "database_identity",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("mode", sa.String(10)),
        sa.Column("account", sa.String(64)),
        sa.Column("profile", sa.String(64)),
        sa.Column("has_bare_cursors", sa.Boolean, nullable=False),
    )
    had_events = highest_sequence(op.get_bind()) > 0  # then older code has handed out cursors without an id
    op.bulk_insert(identity, [{"id": secrets.token_hex(8), "has_bare_cursors": had_events}])
