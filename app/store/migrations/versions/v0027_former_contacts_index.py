"""The index by which lists leave out a conversation that goes on under another name of its customer."""

from app.store.migrations.indexes import build_index

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the index. Nothing that older code uses is changed."""
    build_index("contact_links_former", "contact_links", ["former"])
