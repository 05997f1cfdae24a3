"""Retention: prunes what is older than the configured age, and erases contacts. All of it in small steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.domain.erasure import EraseStep, ErasureCursor, ErasureStage
from app.store.repository import Repository
from app.store.transactions import erase_contact, prune
from app.store.transactions.prune import Plan, PruneStep


class Retention(Repository):
    """Each method is one step: it reads what there is to do, and then does it in one short transaction."""

    def prune_receipts(self, *, before: datetime, after: int) -> PruneStep:
        """Delete some receipts that came before this time and are not pending."""
        return self._prune(lambda c: prune.plan_receipts(c, before, after), prune.prune_receipts)

    def prune_events(self, *, before: datetime, after: int, destinations: Collection[str]) -> PruneStep:
        """Delete some events that came before this time and have no open delivery to one of these destinations."""
        return self._prune(
            lambda c: prune.plan_events(c, before, after),
            lambda c, ids: prune.prune_events(c, ids, destinations, self._store.now(c)),
        )

    def prune_erased_events(self, *, before: datetime) -> PruneStep:
        """Delete some ids of events that were erased before this time."""
        deleted = self._store.write(lambda c: prune.prune_erased_events(c, before))
        return PruneStep(deleted, deleted or None)

    def erase(self, contact: str, cursor: ErasureCursor | None) -> EraseStep:
        """Erase some of what is stored of a contact. Without a cursor an erasure begins; `next` continues it.

        The last step also empties the database's own log.
        """
        if cursor is None:
            last_id = self._store.database.read(erase_contact.last_receipt_id)
            cursor = ErasureCursor(ErasureStage.RECEIPTS, 0, last_id)
        names = self._store.database.read(lambda c: erase_contact.other_names(c, contact))
        match cursor.stage:
            case ErasureStage.RECEIPTS:
                return self._clear_bodies([contact, *names], cursor)
            case ErasureStage.OTHER_NAMES:
                return self._erase_by_other_names(contact, names, cursor)
            case ErasureStage.CONTACT:
                return self._erase_by_contact(contact, cursor)

    def _prune(
        self, plan: Callable[[Connection], Plan], delete: Callable[[Connection, Sequence[int]], int]
    ) -> PruneStep:
        planned = self._store.database.read(plan)
        deleted = self._store.write(lambda c: delete(c, planned.ids)) if planned.ids else 0
        return PruneStep(deleted, planned.next)

    def _clear_bodies(self, names: Sequence[str], cursor: ErasureCursor) -> EraseStep:
        def search(connection: Connection) -> tuple[int, list[int]]:
            end = erase_contact.end_of_scan(connection, cursor.after, cursor.last_receipt_id)
            return end, erase_contact.receipts_naming(connection, names, cursor.after, end)

        end, ids = self._store.database.read(search)
        step = self._store.write(lambda c: erase_contact.clear_body(c, ids)) if ids else EraseStep()
        stage = ErasureStage.RECEIPTS if end > cursor.after else ErasureStage.OTHER_NAMES
        return replace(step, next=ErasureCursor(stage, end, cursor.last_receipt_id))

    def _erase_by_other_names(self, contact: str, names: Sequence[str], cursor: ErasureCursor) -> EraseStep:
        for name in names:
            step = self._erase_events(contact, name)
            if step.events:
                return replace(step, next=cursor)
        return EraseStep(next=replace(cursor, stage=ErasureStage.CONTACT))

    def _erase_by_contact(self, contact: str, cursor: ErasureCursor) -> EraseStep:
        step = self._erase_events(contact, None)
        if step.events:
            return replace(step, next=cursor)
        self._store.database.truncate_wal()
        return step

    def _erase_events(self, contact: str, other_name: str | None) -> EraseStep:
        def erase(connection: Connection) -> EraseStep:
            rows = erase_contact.lock_events_naming(connection, contact, other_name)
            return erase_contact.erase_events(connection, rows, self._store.now(connection)) if rows else EraseStep()

        return self._store.write(erase, "work")
