"""Deletes in one transaction, which also records that remains of what was deleted may be in SQLite's file."""

from typing import TypeVar

from sqlalchemy import Connection

from app.domain.erasure import EraseStep
from app.store.engine.sqlite_marks import Mark, remove_mark
from app.store.engine.write import Channel, Work
from app.store.repository import StoreContext

T = TypeVar("T")


def delete_in(store: StoreContext, work: Work[T], *channels: Channel) -> T:
    """Commit work that deletes, and return its result: how much it has deleted."""

    def delete(connection: Connection) -> T:
        deleted = work(connection)
        if deleted not in (0, EraseStep()):
            remove_mark(connection, Mark.GAPS_CLEAN)
        return deleted

    return store.write(delete, *channels)
