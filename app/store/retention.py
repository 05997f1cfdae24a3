"""Forgetting: what is older than it must be, and customers who want to be forgotten. All of it in small steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.domain.erasure import EraseStep, ErasureCursor, ErasureStage
from app.store.repository import Repository
from app.store.transactions import erase_contact, prune
from app.store.transactions.prune import Plan, PruneStep


class Retention(Repository):
    """Each method is one step: it reads what there is to do, then does it in one short transaction."""

    def prune_receipts(self, *, before: datetime, after: int) -> PruneStep:
        """Drain away some receipts that came before this moment and do not wait to be split."""
        return self._prune(lambda c: prune.plan_receipts(c, before, after), prune.delete_receipts)

    def prune_events(self, *, before: datetime, after: int, destinations: Collection[str]) -> PruneStep:
        """Drain away some events that came before this moment and wait for none of these destinations."""
        return self._prune(
            lambda c: prune.plan_events(c, before, after),
            lambda c, ids: prune.delete_settled_events(c, ids, destinations, self._store.now(c)),
        )

    def prune_forgotten(self, *, before: datetime) -> PruneStep:
        """Drain away some ids of events that were erased before this moment."""
        removed = self._store.write(lambda c: prune.prune_forgotten(c, before))
        return PruneStep(removed, removed or None)

    def erase(self, contact: str, place: ErasureCursor | None) -> EraseStep:
        """Erase some of what is known of a contact, from this place on; the last step tidies up behind."""
        if place is None:
            place = ErasureCursor(ErasureStage.RECEIPTS, 0, self._store.database.read(erase_contact.last_receipt))
        names = self._store.database.read(lambda c: erase_contact.other_names(c, contact))
        match place.stage:
            case ErasureStage.RECEIPTS:
                return self._wipe_receipts([contact, *names], place)
            case ErasureStage.OTHER_NAMES:
                return self._erase_by_other_names(contact, names, place)
            case ErasureStage.CONTACT:
                return self._erase_by_contact(contact, place)

    def _prune(
        self, plan: Callable[[Connection], Plan], carry_out: Callable[[Connection, Sequence[int]], int]
    ) -> PruneStep:
        planned = self._store.database.read(plan)
        removed = self._store.write(lambda c: carry_out(c, planned.ids)) if planned.ids else 0
        return PruneStep(removed, planned.next)

    def _wipe_receipts(self, names: list[str], place: ErasureCursor) -> EraseStep:
        def search(connection: Connection) -> tuple[int, erase_contact.Found]:
            end = erase_contact.end_of_scan(connection, place.after, place.last_receipt_id)
            return end, erase_contact.receipts_naming(connection, names, place.after, end)

        end, found = self._store.database.read(search)
        step = self._store.write(lambda c: erase_contact.wipe(c, found)) if found else EraseStep()
        stage = ErasureStage.RECEIPTS if end > place.after else ErasureStage.OTHER_NAMES
        return replace(step, next=ErasureCursor(stage, end, place.last_receipt_id))

    def _erase_by_other_names(self, contact: str, names: list[str], place: ErasureCursor) -> EraseStep:
        for name in names:
            step = self._erase_some(contact, name)
            if step.events:
                return replace(step, next=place)
        return EraseStep(next=replace(place, stage=ErasureStage.CONTACT))

    def _erase_by_contact(self, contact: str, place: ErasureCursor) -> EraseStep:
        step = self._erase_some(contact, None)
        if step.events:
            return replace(step, next=place)
        self._store.database.truncate_wal()
        return step

    def _erase_some(self, contact: str, also: str | None) -> EraseStep:
        def erase(connection: Connection) -> EraseStep:
            rows = erase_contact.events_naming(connection, contact, also)
            return erase_contact.erase_events(connection, rows, self._store.now(connection)) if rows else EraseStep()

        return self._store.write(erase, "work")
