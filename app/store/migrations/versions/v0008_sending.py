"""Sending: scopes that are paused, the pace of numbers and customers, and queues that rest."""

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables and the column. Older code neither reads nor writes them."""
    op.add_column("queues", sa.Column("rest_until", UtcDateTime))
    op.create_table(
        "send_scopes",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("error_class", sa.String(20), nullable=False),
        sa.Column("code", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("trips", sa.Integer, nullable=False),
        sa.Column("is_told", sa.Boolean, nullable=False),
    )
    op.create_table(
        "send_numbers",
        sa.Column("phone_number_id", sa.String(64), primary_key=True),
        sa.Column("full_at", UtcDateTime),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("slowed_at", UtcDateTime),
    )
    op.create_table(
        "send_pairs",
        sa.Column("phone_number_id", sa.String(64), primary_key=True),
        sa.Column("contact", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("full_at", UtcDateTime),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("paused_until", UtcDateTime),
    )
