"""Events, deliveries, the job queue with its queues, and consumers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import EPOCH, RowId, UtcDateTime

revision = "0002"
down_revision = "0001"

SINGLETON_QUEUES = ("split", "prune")
"""Queues with one job that is never deleted: it is claimed when there is something to do."""


def upgrade() -> None:
    """Add tables. Nothing that older code uses is changed."""
    op.create_table(
        "receipt_errors",
        sa.Column("receipt", RowId, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    _create_events()
    _create_deliveries()
    jobs, queues = _create_jobs(), _create_queues()
    op.create_table(
        "consumers",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    queue = {"paused": False, "disabled": False, "failures": 0, "trips": 0}
    op.bulk_insert(queues, [{"name": name, **queue} for name in SINGLETON_QUEUES])
    job = {"subject": 0, "due_at": EPOCH, "attempts": 0, "claims": 0}
    op.bulk_insert(jobs, [{"queue": name, **job} for name in SINGLETON_QUEUES])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("receipt", sa.BigInteger, nullable=False),
        sa.Column("waba_id", sa.String(64)),
        sa.Column("phone_number_id", sa.String(64)),
        sa.Column("wa_id", sa.String(64)),
        sa.Column("user_id", sa.String(200)),
        sa.Column("is_foreign", sa.Boolean, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_event_id", "events", ["event_id"], unique=True)
    op.create_index("events_type", "events", ["type", "id"])
    op.create_index("events_wa_id", "events", ["wa_id"], **_where("wa_id IS NOT NULL"))
    op.create_index("events_user_id", "events", ["user_id"], **_where("user_id IS NOT NULL"))
    op.create_index("events_foreign", "events", ["id"], **_where("is_foreign"))
    op.create_table(
        "erased_events",
        sa.Column("event_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("destination", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("order_key", sa.BigInteger),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("deliveries_event", "deliveries", ["event", "destination"], unique=True)
    op.create_index("deliveries_destination", "deliveries", ["destination", "id"])
    undelivered = _where("state IN ('dead', 'skipped')")
    op.create_index("deliveries_undelivered", "deliveries", ["destination", "state", "id"], **undelivered)
    op.create_index("deliveries_to_replay", "deliveries", ["event"], **undelivered)


def _create_jobs() -> sa.Table:
    jobs = op.create_table(
        "jobs",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("queue", sa.String(100), nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("order_key", sa.BigInteger),
        sa.Column("due_at", UtcDateTime),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claims", sa.Integer, nullable=False),
        sa.Column("claim_id", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_subject", "jobs", ["queue", "subject"], unique=True)
    op.create_index("jobs_due", "jobs", ["queue", "due_at", "id"])
    op.create_index("jobs_order", "jobs", ["queue", "order_key", "id"], **_where("order_key IS NOT NULL"))
    op.create_index("jobs_claimed", "jobs", ["queue", "due_at"], **_where("claim_id IS NOT NULL"))
    return jobs


def _create_queues() -> sa.Table:
    return op.create_table(
        "queues",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("open_until", UtcDateTime),
        sa.Column("trips", sa.Integer, nullable=False),
        sa.Column("allowance", sa.Integer),
        sa.Column("last_success_at", UtcDateTime),
        sa.Column("last_error_at", UtcDateTime),
        sa.Column("last_error", sa.String(200)),
    )


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
