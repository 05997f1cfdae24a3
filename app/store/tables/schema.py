"""The tables of this code. Only migrations change the schema of a database, and they lead to these tables."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from app.store.tables.types import RowId, UtcDateTime

metadata = MetaData()


def where(condition: str) -> dict[str, Any]:
    """Return the keyword arguments of a partial index. The migrations make it partial on PostgreSQL too.

    Here its name would make each process import SQLAlchemy's dialect of PostgreSQL, a tenth of all its imports.
    """
    return {"sqlite_where": text(condition)}


receipts = Table(
    "receipts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("digest", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("events", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("differing", Integer, nullable=False),
    Column("signed_with", String(8), nullable=False),
    Column("body", LargeBinary, nullable=False),  # behind what lists show, so that they do not read bodies
    Column("trace", LargeBinary),  # see `TraceContext.packed`; read with the body only
    Index("receipts_digest", "digest", unique=True),
    Index("receipts_pending", "id", **where("state = 'pending'")),
    Index("receipts_unreadable", "id", **where("state = 'unreadable'")),
    sqlite_autoincrement=True,  # AUTOINCREMENT: an id is never used twice, so that no cursor skips a row
)

receipt_errors = Table(
    "receipt_errors",
    metadata,
    Column("receipt", RowId, primary_key=True, autoincrement=False),
    Column("reason", String(200), nullable=False),
)
"""Why a receipt is unreadable. A table of its own, because the body is the last column of `receipts`."""

events = Table(
    "events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),  # the sequence
    Column("event_id", LargeBinary(16), nullable=False),
    Column("type", String(100), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("receipt", BigInteger, nullable=False),
    Column("waba_id", String(64)),
    Column("phone_number_id", String(64)),
    Column("wa_id", String(64)),
    Column("user_id", String(200)),
    Column("is_foreign", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON: contact, data, raw, origin
    Column("trace", LargeBinary),  # what deliveries follow
    Index("events_event_id", "event_id", unique=True),
    Index("events_type", "type", "id"),  # reading only some types does not scan the others
    Index("events_wa_id", "wa_id", **where("wa_id IS NOT NULL")),
    Index("events_user_id", "user_id", **where("user_id IS NOT NULL")),
    Index("events_foreign", "id", **where("is_foreign")),
    Index("events_number", "phone_number_id", "type", "id"),
    Index("events_received", "received_at", "id"),
    Index("events_receipt", "receipt", "id"),
    sqlite_autoincrement=True,
)

event_names = Table(
    "event_names",
    metadata,
    Column("event", RowId, primary_key=True, autoincrement=False),  # its sequence
    Column("name", String(200), primary_key=True),
    Index("event_names_name", "name", "event"),
    sqlite_with_rowid=False,
)
"""Further names of an event's contact, beside `wa_id` and `user_id`: most events have none."""

erased_events = Table(
    "erased_events",
    metadata,
    Column("event_id", LargeBinary(16), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
"""Ids of events that were erased with a contact: if Meta sends one again, it is recognised and not stored."""

UNDELIVERED = "state IN ('dead', 'skipped')"
"""SQLite uses a partial index only for a query that repeats its condition word for word."""

DISCARDED = "state = 'discarded'"
"""Dismissed by an operator."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("event", BigInteger, nullable=False),  # its sequence
    Column("destination", String(64), nullable=False),
    Column("state", String(10), nullable=False),  # open, delivered, dead, skipped, discarded
    Column("order_key", BigInteger),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("attempts", LargeBinary, nullable=False),  # JSON
    Index("deliveries_event", "event", "destination", unique=True),
    Index("deliveries_destination", "destination", "id"),
    Index("deliveries_undelivered", "destination", "state", "id", **where(UNDELIVERED)),
    Index("deliveries_to_replay", "event", **where(UNDELIVERED)),
    Index("deliveries_discarded", "destination", "id", **where(DISCARDED)),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("queue", String(100), nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("order_key", BigInteger),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("claim_id", BigInteger),
    Column("held_by", String(100)),
    Index("jobs_subject", "queue", "subject", unique=True),
    Index("jobs_due", "queue", "due_at", "id"),
    Index("jobs_order_key", "order_key", "queue", "id", **where("order_key IS NOT NULL")),
    Index("jobs_claimed", "queue", "due_at", **where("claim_id IS NOT NULL")),
    Index("jobs_held", "held_by", "queue", "due_at", "id", **where("held_by IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""Open work. `due_at` is when a job may be claimed: for a claimed job the end of its lease; NULL while an earlier job
with the same `order_key` is open. `claims` counts the claims since the job was last settled or handed back.
`held_by`: the paused scope that holds its message back, see `app.store.transactions.hold_messages`."""

queues = Table(
    "queues",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("open_until", UtcDateTime),
    Column("trips", Integer, nullable=False),
    Column("allowance", Integer),
    Column("last_success_at", UtcDateTime),
    Column("last_error_at", UtcDateTime),
    Column("last_error", String(200)),
    Column("rest_until", UtcDateTime),
    Column("refusals", Integer),
    Column("paused_at", UtcDateTime),
    Column("was_open_at", UtcDateTime),
)
"""The state that applies to all jobs of a queue. Its row is locked while its jobs are claimed, ordered or settled."""

consumers = Table(
    "consumers",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("cursor", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("version", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

clock_jump = Table(
    "clock_jump",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime),
    Column("seconds", BigInteger),
    Column("seen_at", UtcDateTime),
    Column("doubted_until", UtcDateTime),
)
"""One row: the last jump of the clock that was noticed, if any; and whether it is trusted, see `ClockTrust`."""

compatibility = Table(
    "schema_compatibility",
    metadata,
    Column("oldest_code", String(10), nullable=False),
)
"""One row: the oldest revision whose code can use this schema. A migration that removes something raises it."""

database_identity = Table(
    "database_identity",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("mode", String(10)),
    Column("account", String(64)),
    Column("profile", String(64)),
    Column("has_bare_cursors", Boolean, nullable=False),
)
"""One row: what this database says of itself; see `app.domain.database_identity`. Only an upgrade changes it."""
