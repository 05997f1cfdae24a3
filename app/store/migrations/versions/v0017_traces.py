"""The trace that a receipt, an event and a message belong to."""

import sqlalchemy as sa
from alembic import op

from app.store.migrations.indexes import STEP_BY_STEP

revision = "0017"
down_revision = "0016"

TABLES = ("events", "messages", "receipts")
"""In the order of locks: in one transaction each is locked until the commit."""


def upgrade() -> None:
    """Add a column to each, without rewriting a row. Older code writes NULL into it.

    Where each migration has a transaction of its own, each table has one here: none stays locked while the next one
    is waited for. An upgrade that ends in between goes on with the tables that are left.
    """
    context = op.get_context()
    if not context.opts.get(STEP_BY_STEP):
        for table in TABLES:
            op.add_column(table, sa.Column("trace", sa.LargeBinary))
        return
    with context.autocommit_block():
        for table in TABLES:
            op.add_column(table, sa.Column("trace", sa.LargeBinary), if_not_exists=True)
