"""State for alerts: the current ones, refused webhooks, how a destination refuses, since when a queue is paused.

The watch is one more singleton job. A discarded delivery is one that an operator has dismissed.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.migrations.indexes import build_index
from app.store.tables.types import EPOCH, UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add tables, columns, an index and the job. Older code neither reads nor changes them."""
    discarded = sa.text("state = 'discarded'")
    build_index(
        "deliveries_discarded",
        "deliveries",
        ["destination", "id"],
        sqlite_where=discarded,
        postgresql_where=discarded,
    )
    op.create_table(
        "alerts",
        sa.Column("code", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("cure", sa.String(500), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
    )
    op.create_table(
        "refused_webhooks",
        sa.Column("reason", sa.String(40), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
    )
    op.add_column("queues", sa.Column("refusals", sa.Integer))
    op.add_column("queues", sa.Column("paused_at", UtcDateTime))
    _add_watch()


def _add_watch() -> None:
    """Add the queue and the job of the watch."""
    queue = {"name": "watch", "paused": False, "disabled": False, "failures": 0, "trips": 0}
    op.bulk_insert(_table("queues", queue), [queue])
    job = {"queue": "watch", "subject": 0, "due_at": EPOCH, "attempts": 0, "claims": 0}
    op.bulk_insert(_table("jobs", job), [job])


def _table(name: str, row: dict[str, Any]) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, UtcDateTime() if key == "due_at" else None) for key in row))
