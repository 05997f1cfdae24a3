"""The tables of sending: what is paused, and how fast each number and each of its customers is written to."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table

from app.domain.content_scope import MAX_NAME
from app.store.tables.schema import metadata, where
from app.store.tables.types import UtcDateTime

send_scopes = Table(
    "send_scopes",
    metadata,
    Column("name", String(MAX_NAME), primary_key=True),
    Column("error_class", String(20), nullable=False),
    Column("code", BigInteger, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    Column("trips", Integer, nullable=False),
    Column("is_told", Boolean, nullable=False),  # `ScopePause.is_logged`
    Column("told_at", UtcDateTime),  # `ScopePause.refused_at`
    Column("contact", BigInteger),
    Column("steps", Integer),
    Column("last_trips", Integer),
    Index("send_scopes_contact", "contact", "name", **where("contact IS NOT NULL")),
    Index("send_scopes_general", "name", **where("contact IS NULL")),
)
"""Scopes that are paused: the app, an account, a number; see `app.domain.scope_pause`. `contact`: of marketing to one
customer; there may be many of these, so that the others are found by an index."""

send_numbers = Table(
    "send_numbers",
    metadata,
    Column("phone_number_id", String(64), primary_key=True),
    Column("full_at", UtcDateTime),
    Column("share", Float, nullable=False),
    Column("slowed_at", UtcDateTime),
    Column("waba_id", String(64)),
)
"""The pace of each number, kept with the lock on its queue; see `app.domain.pacing`. `waba_id`: its account, if the
profile lists several and a webhook has named it."""

send_pairs = Table(
    "send_pairs",
    metadata,
    Column("phone_number_id", String(64), primary_key=True),
    Column("contact", BigInteger, primary_key=True, autoincrement=False),
    Column("full_at", UtcDateTime),
    Column("refusals", Integer, nullable=False),
    Column("paused_until", UtcDateTime),
)
"""The pace of each customer of a number, kept with the lock on the number's queue."""
