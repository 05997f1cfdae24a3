"""Builds and drops an index of a table that other processes read and write meanwhile. A part of migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

from app.store.migrations.busy_tables import SET_LOCK_TIMEOUT, SHOW_LOCK_TIMEOUT

STEP_BY_STEP = "wats_step_by_step"
"""The option of Alembic's context by which each migration has a transaction of its own."""

BUILD_LOCK_TIMEOUT = "10min"
"""A build waits for the transactions that were open before it, such as a dump; nothing waits for the build. The limit
is for an older release that waits for the upgrade's lock in one statement: each would wait for the other for good."""

_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def build_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Build an index; call it before anything else of a migration.

    Where each migration has a transaction of its own, this ends it, and lets others write to the table while the
    index is built. A part of an index that a killed build has left is dropped first, and a whole one stays.
    """
    if not _is_step_by_step():
        op.create_index(name, table, columns, **options)
        return
    with _beside_others() as connection:
        is_valid = connection.execute(_IS_VALID, {"name": name}).scalar_one_or_none()
        if is_valid is False:
            op.drop_index(name, table, postgresql_concurrently=True)
        if not is_valid:
            op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def drop_index(name: str, table: str) -> None:
    """Drop an index that another one has replaced, as `build_index` builds one. It may be dropped already."""
    if not _is_step_by_step():
        op.drop_index(name, table)
        return
    with _beside_others():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def _is_step_by_step() -> bool:
    return bool(op.get_context().opts.get(STEP_BY_STEP))


@contextmanager
def _beside_others() -> Iterator[Connection]:
    """End the migration's transaction, and wait longer for those of others in this block."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        lock_timeout = connection.execute(SHOW_LOCK_TIMEOUT).scalar_one()
        connection.execute(SET_LOCK_TIMEOUT, {"value": BUILD_LOCK_TIMEOUT})
        yield connection
        connection.execute(SET_LOCK_TIMEOUT, {"value": lock_timeout})
