"""Meta's statements about the access token, and the job that asks for them."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the table and the job.

    Older code changes neither, but its metrics tell how long the job has been due: from now on, until newer code
    takes it.
    """
    op.create_table(
        "access_token",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("is_valid", sa.Boolean, nullable=False),
        sa.Column("ends_at", UtcDateTime),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    queue = {"name": "token", "paused": False, "disabled": False, "failures": 0, "trips": 0}
    op.bulk_insert(_table("queues", queue), [queue])
    job = {"queue": "token", "subject": 0, "due_at": datetime.now(UTC), "attempts": 0, "claims": 0}
    op.bulk_insert(_table("jobs", job), [job])


def _table(name: str, row: dict[str, Any]) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, UtcDateTime() if key == "due_at" else None) for key in row))
