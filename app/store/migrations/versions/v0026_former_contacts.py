"""The contact that a linked name was by itself, by which its pace and its conversations are found."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the column. Links that are there, and those of older code, have NULL: they are used as before."""
    op.add_column("contact_links", sa.Column("former", sa.BigInteger))
