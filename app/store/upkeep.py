"""Upkeep: puts right what older code has left, in small steps while other processes work."""

from app.store.engine import sqlite_free_pages
from app.store.engine.sqlite_marks import ALL, Mark, marks_of, remove_mark
from app.store.repository import Repository
from app.store.transactions import add_names, judge_failures
from app.store.transactions.add_names import AddedNames


class Upkeep(Repository):
    """Each call does one small step. None of them is needed for a start, and each may be repeated."""

    def add_names(self, *, after: int) -> AddedNames:
        """Add to the next events the names that they lack."""
        planned = self._store.database.read(lambda c: add_names.plan_names(c, after))
        added = self._store.write(lambda c: add_names.add_names(c, planned.ids)) if planned.ids else 0
        return AddedNames(added, planned.next)

    def judge_failures(self) -> None:
        """Store the alerts of some messages that older code let fail. If there are none, it reads an empty index."""
        if planned := self._store.database.read(judge_failures.plan_failures):
            self._store.write(lambda c: judge_failures.judge_failures(c, planned))

    def expect_remains(self) -> None:
        """Have a SQLite file cleaned of what was deleted in it, because older code has used it again."""
        self._store.write(lambda c: remove_mark(c, ALL))

    def wipe_free_pages(self) -> bool:
        """Do the next step of wiping. Return False, and write nothing, if there is nothing to do."""
        if not self._store.database.read(sqlite_free_pages.needs_wiping):
            return False
        self._store.write(
            sqlite_free_pages.wipe_some, durable=False
        )  # a step that a power cut takes back is repeated
        return True

    def clean_gaps(self) -> int | None:
        """Overwrite what SQLite has left in the gaps of some pages. Return the page at which the next step begins.

        None: there is nothing to do. The same page again: a reader of an older state of the file is in the way.
        """
        if Mark.GAPS_CLEAN in self._store.database.read(marks_of):
            return None
        return self._store.database.clean_gaps()
