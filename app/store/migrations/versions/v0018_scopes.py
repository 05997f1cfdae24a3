"""Pauses know the customer that they are about, and when Meta told them; early statuses know their number."""

import sqlalchemy as sa
from alembic import op

from app.domain.content_scope import MARKETING, contact_of_scope
from app.store.tables.types import UtcDateTime

revision = "0018"
down_revision = "0017"

ROWS_AT_ONCE = 500

_SCOPES = sa.text("SELECT name FROM send_scopes WHERE name > :after ORDER BY name LIMIT :limit")
_FILL = sa.text("UPDATE send_scopes SET contact = :contact WHERE name = :name")


def upgrade() -> None:
    """Add the columns and indexes, and fill in the customers. Older code neither reads nor writes them."""
    op.add_column("send_scopes", sa.Column("contact", sa.BigInteger))
    op.add_column("send_scopes", sa.Column("told_at", UtcDateTime))
    op.add_column("early_statuses", sa.Column("phone_number_id", sa.String(64)))
    fill_contacts(op.get_bind())
    for name, columns, condition in (
        ("send_scopes_contact", ["contact", "name"], "contact IS NOT NULL"),
        ("send_scopes_general", ["name"], "contact IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "send_scopes", columns, sqlite_where=where, postgresql_where=where)


def fill_contacts(connection: sa.Connection) -> None:
    """Add the customer to each pause of marketing."""
    after = ""
    while names := connection.execute(_SCOPES, {"after": after, "limit": ROWS_AT_ONCE}).scalars().all():
        found = [{"name": name, "contact": contact_of_scope(name)} for name in names if name.startswith(MARKETING)]
        if found:
            connection.execute(_FILL, found)
        after = names[-1]
