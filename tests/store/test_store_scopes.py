"""Pauses that are about one customer may be many: they are found by an index, and go when the customer has gone."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import insert, select

from app.domain.content_scope import marketing_scope
from app.domain.message import contact_number
from app.store import Store
from app.store.tables.message_schema import conversations
from app.store.tables.sending_schema import send_scopes
from app.store.transactions.prune import STEP_ROWS
from tests.store.test_store_content_scopes import SOMEBODY, preference, told
from tests.support.messages import NUMBER
from tests.support.store import NOON
from tests.support.work import Clock

MONTH, WEEK = timedelta(days=31), timedelta(days=8)


def put_wishes(store: Store, contacts: Iterable[int], *, since: object = NOON, told_contact: bool = True) -> None:
    """Put in customers who have stopped marketing."""
    values = {"error_class": "recipient", "code": 131050, "reason": "", "trips": 1, "is_told": False, "since": since}
    rows = [
        {"name": marketing_scope(NUMBER, one), "contact": one if told_contact else None, **values} for one in contacts
    ]
    store.write(lambda c: c.execute(insert(send_scopes), rows))


def names(store: Store) -> list[str]:
    return store.database.read(lambda c: list(c.execute(select(send_scopes.c.name)).scalars()))


def prune(store: Store, clock: Clock) -> int:
    """Prune as the job does that is to keep a month, and return how many steps it took."""
    after, steps = 0, 0
    while True:
        step = store.message_retention.prune_scopes(now=clock.now, before=clock.now - MONTH, after=after)
        steps += 1
        if step.next is None:
            return steps
        after = step.next


def test_the_wish_of_a_customer_who_is_gone_is_pruned(timed: Store, clock: Clock) -> None:
    preference(timed, "stop")
    clock.advance(MONTH - timedelta(days=1))
    prune(timed, clock)
    kept = names(timed)
    clock.advance(WEEK)

    prune(timed, clock)

    assert (len(kept), names(timed)) == (1, [])


def test_the_wish_of_a_customer_with_a_conversation_stays(timed: Store, clock: Clock) -> None:
    preference(timed, "stop")
    row = {"phone_number_id": NUMBER, "contact": contact_number(SOMEBODY[1:]), "updated_at": NOON}
    timed.write(lambda c: c.execute(insert(conversations), row))
    clock.advance(2 * MONTH)

    prune(timed, clock)

    assert len(names(timed)) == 1


def test_many_wishes_are_pruned_step_by_step(timed: Store, clock: Clock) -> None:
    put_wishes(timed, range(1, 2 * STEP_ROWS + 2))
    put_wishes(timed, range(10_000, 10_009), since=NOON + MONTH)
    clock.advance(MONTH + WEEK)

    steps = prune(timed, clock)

    assert (len(names(timed)), steps) == (9, 3)


def test_a_pause_that_is_over_is_forgotten_once_nothing_older_can_be_reported(timed: Store, clock: Clock) -> None:
    told(timed, "PAUSED")
    told(timed, "APPROVED")
    preference(timed, "resume")
    prune(timed, clock)
    kept = names(timed)
    clock.advance(WEEK)

    prune(timed, clock)

    assert (len(kept), names(timed)) == (2, [])


def test_a_paused_template_stays_however_long(timed: Store, clock: Clock) -> None:
    told(timed, "DISABLED")
    clock.advance(12 * MONTH)

    prune(timed, clock)

    assert len(timed.sending.pauses()) == 1


def test_a_wish_that_older_code_has_stored_is_erased_pruned_and_no_pause_of_the_list(
    timed: Store, clock: Clock
) -> None:
    put_wishes(timed, [contact_number(SOMEBODY[1:]), 7], told_contact=False)
    listed = timed.sending.pauses()
    cursor = None
    while (cursor := timed.retention.erase(SOMEBODY[1:], cursor).next) is not None:
        pass
    erased = names(timed)
    clock.advance(2 * MONTH)

    prune(timed, clock)
    prune(timed, clock)

    assert (listed, erased, names(timed)) == ([], [marketing_scope(NUMBER, 7)], [])
