"""The job that asks Meta about messages whose statuses have not come, and how far its rounds are."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import EPOCH, UtcDateTime

revision = "0014"
down_revision = "0013"

ROUNDS = (0, 1, 2)


def upgrade() -> None:
    """Add the table, with a row for each round, and the job. Older code neither reads nor changes them."""
    cursors = op.create_table(
        "reconcile_cursors",
        sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("after", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(cursors, [{"round": number, "after": 0} for number in ROUNDS])
    queue = {"name": "reconcile", "paused": False, "disabled": False, "failures": 0, "trips": 0}
    op.bulk_insert(_table("queues", queue), [queue])
    job = {"queue": "reconcile", "subject": 0, "due_at": EPOCH, "attempts": 0, "claims": 0}
    op.bulk_insert(_table("jobs", job), [job])


def _table(name: str, row: dict[str, Any]) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, UtcDateTime() if key == "due_at" else None) for key in row))
