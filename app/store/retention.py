"""Retention: prunes what is older than the configured age, and erases contacts. All of it in small steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.domain.erasure import ContactName, EraseStep, ErasureCursor, ErasureStage
from app.store.deletion import delete_in
from app.store.repository import Repository
from app.store.tables.contact_names import find_names
from app.store.transactions import erase_contact, prune
from app.store.transactions.erase_messages import erase_messages, forget_contact
from app.store.transactions.prune import Plan, PruneStep
from app.store.upkeep import Upkeep


class Retention(Repository):
    """Prunes and erases. Each call does one small step and returns the position of the next."""

    def prune_receipts(self, *, before: datetime, after: int) -> PruneStep:
        """Delete one batch of receipts that came before this time and are not pending."""
        return self._prune(lambda c: prune.plan_receipts(c, before, after), prune.prune_receipts)

    def prune_events(self, *, before: datetime, after: int, destinations: Collection[str]) -> PruneStep:
        """Delete one batch of events that came before this time and have no open delivery to these destinations."""
        return self._prune(
            lambda c: prune.plan_events(c, before, after),
            lambda c, ids: prune.prune_events(c, ids, destinations, self._store.now(c)),
        )

    def prune_erased_events(self, *, before: datetime) -> PruneStep:
        """Delete one batch of old rows from `erased_events`: those of events that were erased before this time."""
        deleted = self._store.write(lambda c: prune.prune_erased_events(c, before))
        # The next step needs no position, only whether there is one: rows that were deleted are not found again.
        return PruneStep(deleted, deleted or None)

    def prune_lone_names(self, *, after: int) -> PruneStep:
        """Delete the next names whose event is gone: older code left them when it deleted the event."""
        return self._prune(lambda c: prune.plan_lone_names(c, after), prune.prune_lone_names)

    def empty_log(self) -> None:
        """Remove what was pruned from SQLite's write-ahead log too, unless a reader uses it."""
        self._store.database.truncate_wal()

    def erase(self, contact: str, cursor: ErasureCursor | None) -> EraseStep:
        """Erase one batch of a contact's data. Pass None first, then `EraseStep.next` until it is None.

        A step may run several transactions. On SQLite the last steps leave nothing of it in the database's files; if
        such a step returns its own cursor, a reader of an older state of the file is in the way.
        """
        if cursor is None:
            last_id = self._store.database.read(erase_contact.last_receipt_id)
            cursor = ErasureCursor(ErasureStage.RECEIPTS, 0, last_id)
        names = self._store.database.read(lambda c: find_names(c, contact))
        match cursor.stage:
            case ErasureStage.RECEIPTS:
                return self._clear_bodies(names, cursor)
            case ErasureStage.OTHERS:
                return self._find_others(names, cursor)
            case ErasureStage.MESSAGES:
                return self._erase_messages(names, cursor)
            case ErasureStage.EVENTS:
                return self._erase_events(names, cursor)
            case ErasureStage.FILE:
                return self._clean_file(cursor)

    def _prune(
        self, plan: Callable[[Connection], Plan], delete: Callable[[Connection, Sequence[int]], int]
    ) -> PruneStep:
        planned = self._store.database.read(plan)
        deleted = delete_in(self._store, lambda c: delete(c, planned.ids)) if planned.ids else 0
        return PruneStep(deleted, planned.next)

    def _clear_bodies(self, names: Sequence[ContactName], cursor: ErasureCursor) -> EraseStep:
        def search(connection: Connection) -> tuple[int, list[int]]:
            end = erase_contact.end_of_receipts(connection, cursor.after, cursor.last_receipt_id)
            return end, erase_contact.receipts_with_name(connection, names, cursor.after, end)

        end, ids = self._store.database.read(search)
        step = delete_in(self._store, lambda c: erase_contact.clear_body(c, ids)) if ids else EraseStep()
        is_complete = end == cursor.after
        return replace(step, next=_next(cursor, ErasureStage.OTHERS) if is_complete else replace(cursor, after=end))

    def _find_others(self, names: Sequence[ContactName], cursor: ErasureCursor) -> EraseStep:
        def search(connection: Connection) -> tuple[int, tuple[str, ...]]:
            end, last_id = erase_contact.end_of_events(connection, cursor.after), cursor.last_receipt_id
            return end, erase_contact.others_with_name(connection, names, cursor.after, end, last_id)

        end, remaining = self._store.database.read(search)
        is_complete = end == cursor.after
        following = _next(cursor, ErasureStage.MESSAGES) if is_complete else replace(cursor, after=end)
        return EraseStep(remaining=remaining, next=following)

    def _erase_messages(self, names: Sequence[ContactName], cursor: ErasureCursor) -> EraseStep:
        step = delete_in(self._store, lambda c: erase_messages(c, self._store.now(c), names), "work")
        return replace(step, next=cursor if step.messages else _next(cursor, ErasureStage.EVENTS))

    def _erase_events(self, names: Sequence[ContactName], cursor: ErasureCursor) -> EraseStep:
        def erase(connection: Connection) -> EraseStep:
            rows = erase_contact.lock_next_events(connection, names)
            if rows:
                return erase_contact.erase_events(connection, rows, self._store.now(connection))
            forget_contact(connection, names)
            return EraseStep()

        step = delete_in(self._store, erase, "work")  # wake the workers: other jobs may be due
        return replace(step, next=cursor if step.events else _next(cursor, ErasureStage.FILE))

    def _clean_file(self, cursor: ErasureCursor) -> EraseStep:
        """Remove what SQLite leaves of deleted rows in its file. The cursor only shows how far this is."""
        upkeep = Upkeep(self._store)
        if upkeep.wipe_free_pages():
            return EraseStep(next=replace(cursor, after=cursor.after + 1))
        position = upkeep.clean_gaps()
        return EraseStep(next=None if position is None else replace(cursor, after=position))


def _next(cursor: ErasureCursor, stage: ErasureStage) -> ErasureCursor:
    return replace(cursor, stage=stage, after=0)
