"""Indexes by which events of a number, of a receipt and of some time are found."""

from app.store.migrations.indexes import build_index

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the indexes. Nothing that older code uses is changed."""
    build_index("events_number", "events", ["phone_number_id", "type", "id"])
    build_index("events_received", "events", ["received_at", "id"])
    build_index("events_receipt", "events", ["receipt", "id"])
