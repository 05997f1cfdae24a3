"""Forgetting: what is older than it must be, and customers who want to be forgotten. All of it in small steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.domain.erasure import ErasePlace, EraseStep, Stage
from app.store.repository import Front
from app.store.transactions import erase_contact, prune
from app.store.transactions.prune import Plan, PruneStep


class Retention(Front):
    """Each method is one step: it reads what there is to do, then does it in one short transaction."""

    def prune_receipts(self, *, before: datetime, after: int) -> PruneStep:
        """Take away some receipts that came before this moment and do not wait to be split."""
        return self._prune(lambda c: prune.plan_receipts(c, before, after), prune.delete_receipts)

    def prune_events(self, *, before: datetime, after: int, destinations: Collection[str]) -> PruneStep:
        """Take away some events that came before this moment and wait for none of these destinations."""
        return self._prune(
            lambda c: prune.plan_events(c, before, after),
            lambda c, ids: prune.delete_settled_events(c, ids, destinations, self._store.moment(c)),
        )

    def prune_forgotten(self, *, before: datetime) -> PruneStep:
        """Take away some ids of events that were erased before this moment."""
        removed = self._store.database.write(lambda c: prune.prune_forgotten(c, before))
        return PruneStep(removed, removed or None)

    def erase(self, contact: str, place: ErasePlace | None) -> EraseStep:
        """Erase some of what is known of a contact, from this place on; the last step tidies up behind."""
        if place is None:
            place = ErasePlace(Stage.RECEIPTS, 0, self._store.database.read(erase_contact.last_receipt))
        names = self._store.database.read(lambda c: erase_contact.other_names(c, contact))
        match place.stage:
            case Stage.RECEIPTS:
                return self._wipe_receipts([contact, *names], place)
            case Stage.OTHER_NAMES:
                return self._erase_by_other_names(contact, names, place)
            case Stage.CONTACT:
                return self._erase_by_contact(contact, place)

    def _prune(
        self, plan: Callable[[Connection], Plan], carry_out: Callable[[Connection, Sequence[int]], int]
    ) -> PruneStep:
        planned = self._store.database.read(plan)
        removed = self._store.database.write(lambda c: carry_out(c, planned.ids)) if planned.ids else 0
        return PruneStep(removed, planned.next)

    def _wipe_receipts(self, names: list[str], place: ErasePlace) -> EraseStep:
        def search(connection: Connection) -> tuple[int, erase_contact.Found]:
            end = erase_contact.end_of_scan(connection, place.after, place.upto)
            return end, erase_contact.receipts_naming(connection, names, place.after, end)

        end, found = self._store.database.read(search)
        step = self._store.database.write(lambda c: erase_contact.wipe(c, found)) if found else EraseStep()
        stage = Stage.RECEIPTS if end > place.after else Stage.OTHER_NAMES
        return replace(step, next=ErasePlace(stage, end, place.upto))

    def _erase_by_other_names(self, contact: str, names: list[str], place: ErasePlace) -> EraseStep:
        for name in names:
            step = self._erase_some(contact, name)
            if step.events:
                return replace(step, next=place)
        return EraseStep(next=replace(place, stage=Stage.CONTACT))

    def _erase_by_contact(self, contact: str, place: ErasePlace) -> EraseStep:
        step = self._erase_some(contact, None)
        if step.events:
            return replace(step, next=place)
        self._store.database.leave_no_copies()
        return step

    def _erase_some(self, contact: str, also: str | None) -> EraseStep:
        def erase(connection: Connection) -> EraseStep:
            rows = erase_contact.events_naming(connection, contact, also)
            return (
                erase_contact.erase_events(connection, rows, self._store.moment(connection)) if rows else EraseStep()
            )

        return self._store.write_and_ring(erase, "work")
