"""What older code did beside this code, or after a rollback, is put right: the names of its events."""

from sqlalchemy import delete, select

from app.store import Store
from app.store.tables.schema import event_names, events
from app.store.transactions.add_names import EVENTS_AT_ONCE
from app.store.transactions.prune import NAMES_AT_ONCE
from tests.support.events import new_event, put_events

WA_ID, SPELLED = "5531988880001", "553188880001"


def put_named_events(store: Store, *names: object) -> list[int]:
    """Put in events as older code does: their further name stands in the document only."""
    return put_events(store, *(new_event(name, wa_id=WA_ID, contacts=[{"wa_id": SPELLED}]) for name in names))


def add_names(store: Store) -> int:
    added, after = 0, 0
    while True:
        step = store.upkeep.add_names(after=after)
        added += step.added
        if step.next is None:
            return added
        after = step.next


def prune_lone_names(store: Store) -> int:
    deleted, after = 0, 0
    while True:
        step = store.retention.prune_lone_names(after=after)
        deleted += step.deleted
        if step.next is None:
            return deleted
        after = step.next


def named_events(store: Store) -> list[int]:
    query = select(event_names.c.event).order_by(event_names.c.event)
    return list(store.database.read(lambda c: c.execute(query).scalars().all()))


def test_events_that_older_code_has_split_get_their_names_once(store: Store) -> None:
    sequences = put_named_events(store, *range(EVENTS_AT_ONCE + 1))
    put_events(store, new_event("without a further name"))

    added, again = add_names(store), add_names(store)

    assert (added, again) == (len(sequences), 0)
    assert named_events(store) == sequences


def test_a_customer_is_erased_by_a_name_that_older_code_did_not_store(store: Store) -> None:
    put_named_events(store, "spelled")
    add_names(store)

    step = store.retention.erase(SPELLED, None)
    while step.next is not None:
        step = store.retention.erase(SPELLED, step.next)

    assert store.events.counts().total == 0
    assert named_events(store) == []


def test_names_of_events_that_older_code_has_deleted_are_pruned(store: Store) -> None:
    kept, *gone, last = put_named_events(store, *range(NAMES_AT_ONCE + 3))
    add_names(store)
    store.write(lambda c: c.execute(delete(events).where(events.c.id.in_(gone))))

    deleted = prune_lone_names(store)

    assert deleted == len(gone)
    assert named_events(store) == [kept, last]
