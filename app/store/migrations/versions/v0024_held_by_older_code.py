"""Let the watch wake messages that code without the column `held_by` has held back soon, not within the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

HOLDER = "older-code"
"""No scope has this name. So nothing pauses it, and the watch wakes what it holds, a hundred messages at a time."""

_ADD_HOLDER = sa.text(
    "UPDATE jobs SET held_by = :holder WHERE queue IN (SELECT name FROM queues WHERE name LIKE 'send:%')"
    " AND held_by IS NULL AND order_key IS NULL AND claim_id IS NULL"
)
"""Of the messages that wait, only one that is or was held has no `order_key`."""


def upgrade() -> None:
    """Set a holder. A woken message whose scope is still paused is held again, by the name of that scope."""
    op.get_bind().execute(_ADD_HOLDER, {"holder": HOLDER})
