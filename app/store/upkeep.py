"""Upkeep: puts right what older code has left, in small steps while other processes work."""

from app.store.engine import sqlite_free_pages
from app.store.repository import Repository
from app.store.transactions import add_names
from app.store.transactions.add_names import AddedNames


class Upkeep(Repository):
    """Each call does one small step. None of them is needed for a start, and each may be repeated."""

    def add_names(self, *, after: int) -> AddedNames:
        """Add to the next events the names that they lack."""
        planned = self._store.database.read(lambda c: add_names.plan_names(c, after))
        added = self._store.write(lambda c: add_names.add_names(c, planned.ids)) if planned.ids else 0
        return AddedNames(added, planned.next)

    def expect_content_in_free_pages(self) -> None:
        """Have the free pages of a SQLite file wiped, because older code has used the file again."""
        self._store.write(sqlite_free_pages.mark_as_unwiped)

    def wipe_free_pages(self) -> bool:
        """Do the next step of wiping. Return False, and write nothing, if there is nothing to do."""
        if not self._store.database.read(sqlite_free_pages.needs_wiping):
            return False
        self._store.write(
            sqlite_free_pages.wipe_some, durable=False
        )  # a step that a power cut takes back is repeated
        return True
