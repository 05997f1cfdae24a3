"""Messages: what was accepted, its keys, and what is known of the customers it goes to."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.tables.types import RowId, UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables. Nothing that older code uses is changed."""
    _add_messages()
    _add_message_indexes()
    _add_idempotency_keys()
    _add_contact_links()
    _add_conversations()
    _add_early_statuses()


def _add_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("sha256", sa.LargeBinary(32), primary_key=True),
        sa.Column("request_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("message", sa.LargeBinary(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("idempotency_keys_created", "idempotency_keys", ["created_at"])


def _add_contact_links() -> None:
    op.create_table(
        "contact_links",
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("contact", sa.BigInteger, nullable=False),
    )
    op.create_index("contact_links_contact", "contact_links", ["contact"])


def _add_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("phone_number_id", sa.String(64), primary_key=True),
        sa.Column("contact", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wa_id", sa.String(64)),
        sa.Column("user_id", sa.String(200)),
        sa.Column("last_inbound_at", UtcDateTime),
        sa.Column("last_outbound_at", UtcDateTime),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_index("conversations_contact", "conversations", ["contact"])
    op.create_index("conversations_updated", "conversations", ["updated_at"])


def _add_early_statuses() -> None:
    op.create_table(
        "early_statuses",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("wamid", sa.String(1024), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("early_statuses_wamid", "early_statuses", ["wamid"])
    op.create_index("early_statuses_at", "early_statuses", ["at"])


def _add_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.LargeBinary(16), nullable=False),
        sa.Column("phone_number_id", sa.String(64), nullable=False),
        sa.Column("contact", sa.BigInteger, nullable=False),
        sa.Column("endpoint", sa.String(30), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("recipient_to", sa.String(300)),
        sa.Column("recipient", sa.String(200)),
        sa.Column("window_exempt", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("resends", sa.Integer, nullable=False),
        sa.Column("wamid", sa.String(1024)),
        sa.Column("second_wamid", sa.String(1024)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("progress", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )


def _add_message_indexes() -> None:
    op.create_index("messages_message_id", "messages", ["message_id"], unique=True)
    op.create_index("messages_contact", "messages", ["contact", "id"])
    for name, columns, condition in (
        ("messages_wamid", ["wamid"], "wamid IS NOT NULL"),
        ("messages_sent_twice", ["id"], "second_wamid IS NOT NULL"),
        ("messages_sending", ["phone_number_id", "id"], "status = 'sending'"),
        ("messages_unknown", ["id"], "status = 'unknown'"),
        ("messages_failed", ["id"], "status = 'failed'"),
    ):
        partial: dict[str, Any] = {f"{dialect}_where": sa.text(condition) for dialect in ("sqlite", "postgresql")}
        op.create_index(name, "messages", columns, **partial)
