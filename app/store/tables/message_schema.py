"""The tables of messages: what was accepted, its keys, and what is known of the customers it goes to."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from app.domain.message import MAX_TYPE_LENGTH
from app.store.tables.schema import metadata, where
from app.store.tables.types import RowId, UtcDateTime

messages = Table(
    "messages",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("message_id", LargeBinary(16), nullable=False),
    Column("phone_number_id", String(64), nullable=False),
    Column("contact", BigInteger, nullable=False),
    Column("endpoint", String(30), nullable=False),
    Column("type", String(MAX_TYPE_LENGTH), nullable=False),
    Column("recipient_to", String(300)),
    Column("recipient", String(200)),
    Column("window_exempt", Boolean, nullable=False),
    Column("status", String(10), nullable=False),
    Column("resends", Integer, nullable=False),
    Column("wamid", String(1024)),
    Column("second_wamid", String(1024)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column(
        "progress", LargeBinary, nullable=False
    ),  # JSON: history, tracker, metaStatus, metaContact, error, pricing
    Column("body", LargeBinary, nullable=False),  # JSON; behind what lists show, so that they do not read bodies
    Column("trace", LargeBinary),  # what attempts follow; read with the body only
    Column("alert", String(20)),  # see `app.domain.failure_sign`; "": it has failed and raises none
    Index("messages_message_id", "message_id", unique=True),
    Index("messages_wamid", "wamid", **where("wamid IS NOT NULL")),
    Index("messages_sent_twice", "id", **where("second_wamid IS NOT NULL")),
    Index("messages_contact", "contact", "id"),
    Index("messages_sending", "phone_number_id", "id", **where("status = 'sending'")),
    Index("messages_unknown", "id", **where("status = 'unknown'")),
    Index("messages_failed", "id", **where("status = 'failed'")),
    Index("messages_alert", "alert", "updated_at", **where("alert IS NOT NULL")),
    Index("messages_unjudged", "id", **where("status = 'failed' AND alert IS NULL")),
    sqlite_autoincrement=True,
)
"""Messages to customers. `resends` counts the operator's decisions to send an unknown one again. `second_wamid`
proves that Meta has accepted a message twice: it must be NULL in every row."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("request_sha256", LargeBinary(32), nullable=False),
    Column("message", LargeBinary(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("idempotency_keys_created", "created_at"),
)
"""Clients' keys, each as its SHA-256 and with what it was used for: the SHA-256 of the request, and the `message_id`.

An erased message leaves its key, so that a late repeat does not send it again."""

contact_links = Table(
    "contact_links",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("contact", BigInteger, nullable=False),
    Column("former", BigInteger),
    Index("contact_links_contact", "contact"),
    Index("contact_links_former", "former"),
)
"""Names that are another contact's too, such as the phone number beside a user id. A name that is not here is a
contact by itself; see `app.domain.message.contact_number`. `former`: the contact that the name is without its link,
under which a pace and conversations from before the link are stored; NULL if older code made the link."""

conversations = Table(
    "conversations",
    metadata,
    Column("phone_number_id", String(64), primary_key=True),
    Column("contact", BigInteger, primary_key=True, autoincrement=False),
    Column("wa_id", String(64)),
    Column("user_id", String(200)),
    Column("last_inbound_at", UtcDateTime),
    Column("last_outbound_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("conversations_contact", "contact"),
    Index("conversations_updated", "updated_at"),
)
"""A number and a contact that have written to each other. `last_inbound_at`, by Meta's clock, opens the window."""

early_statuses = Table(
    "early_statuses",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("wamid", String(1024), nullable=False),
    Column("status", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("details", LargeBinary, nullable=False),  # JSON: Meta's error and pricing
    Column("phone_number_id", String(64)),
    Index("early_statuses_wamid", "wamid"),
    Index("early_statuses_at", "at"),
    sqlite_autoincrement=True,
)
"""Statuses without a tracker that came while a message was being sent or was unknown, of a wamid that is not known:
they may be that message's. Meta's answer, or a status with our tracker, reveals its wamid later."""

reconcile_cursors = Table(
    "reconcile_cursors",
    metadata,
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("after", BigInteger, nullable=False),
)
"""The row of `messages` up to which a round of asking Meta has come; see `app.domain.reconciling`."""

message_changes = Table(
    "message_changes",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("message", BigInteger, nullable=False),  # its row
    Column("event_id", LargeBinary(16), nullable=False),
    Column("status", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("phone_number_id", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),  # JSON
    Index("message_changes_message", "message"),
    sqlite_autoincrement=True,
)
"""Changes of messages that are to become events. The owner of the split job adds these: it alone gives out sequences,
so that they follow the order of commits."""
