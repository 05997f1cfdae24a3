"""Messages that code without the column `held_by` has held back are woken soon, not within the hour."""

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
"""Only a message that is or was held has left the order of its customer."""


def upgrade() -> None:
    """Name a holder. A message whose scope is still paused is then held by the name of that scope."""
    op.get_bind().execute(_ADD_HOLDER, {"holder": HOLDER})
