"""Indexes by which events of a number, of a receipt and of some time are found."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the indexes. Nothing that older code uses is changed."""
    op.create_index("events_number", "events", ["phone_number_id", "type", "id"])
    op.create_index("events_received", "events", ["received_at", "id"])
    op.create_index("events_receipt", "events", ["receipt", "id"])
