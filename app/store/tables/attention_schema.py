"""The tables of what needs a human: the current alerts, webhooks that were refused, the access token's life."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from app.store.tables.schema import metadata
from app.store.tables.types import UtcDateTime

alerts = Table(
    "alerts",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("cause", String(500), nullable=False),
    Column("cure", String(500), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""The alerts at the last comparison. A transaction that adds or deletes one holds the lock on the split job."""

refused_webhooks = Table(
    "refused_webhooks",
    metadata,
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)
"""Requests of Meta's route that were refused, by the code of their error; see `app.domain.refused_webhooks`."""

access_token = Table(
    "access_token",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("is_valid", Boolean, nullable=False),
    Column("ends_at", UtcDateTime),
    Column("reason", String(200), nullable=False),
)
"""At most one row: Meta's last answer about the access token; see `app.domain.meta.access_token`."""
