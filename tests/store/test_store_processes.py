"""Real processes on one database: they migrate, add and die at once."""

from collections import Counter

import pytest
from sqlalchemy import select

from app.domain.delivery import DeliveryState
from app.domain.receipt import Stored
from app.store import Store
from app.store.migrations.upgrade import no_schema
from app.store.tables.schema import receipts
from tests.store.children import Child, Start
from tests.store.event_process import LAST
from tests.support.events import new_event, put_events
from tests.support.store import Databases, StoreMaker, new_receipt, sqlite_databases
from tests.support.work import CRM, add_events, split_event

pytestmark = pytest.mark.usefixtures("unmeasured")

HEAD = no_schema().head
ADDERS = ("process", "cooperative_process")
READ_TYPES = ("*", "message.*", "message.a,message.b,message.c")


def stored_bodies(store: Store) -> list[str]:
    """Every body, oldest first."""
    query = select(receipts.c.body).order_by(receipts.c.id)
    return store.database.read(lambda c: [bytes(body).decode() for body in c.execute(query).scalars()])


def test_four_processes_may_migrate_an_empty_database_at_once(databases: Databases, start: Start) -> None:
    url = databases.empty()

    migrating = [start("process", "migrate", url) for _ in range(4)]

    assert [child.hear() for child in migrating] == [HEAD] * 4
    assert all(child.succeeds() for child in migrating)


def test_a_process_killed_in_its_migration_blocks_no_other(
    databases: Databases, start: Start, make_store: StoreMaker
) -> None:
    url = databases.empty()
    dying = start("process", "hang_in_migration", url)
    assert dying.hear() == "in_migration"
    waiting = [start("process", "migrate", url) for _ in range(2)]

    dying.kill()

    assert [child.hear() for child in waiting] == [HEAD] * 2
    make_store(url).receipts.add(new_receipt())


def test_four_processes_that_add_the_same_bodies_store_each_once(url: str, start: Start, store: Store) -> None:
    adding = [start("process", "add_shuffled", url, 200, seed) for seed in range(4)]

    results = Counter(word for child in adding for batch in child.hear_all() for word in batch)

    assert results == {Stored.ACCEPTED: 200, Stored.DUPLICATE: 600}
    page = store.receipts.page(state=None, before=None, limit=1_000)
    assert [receipt.duplicates for receipt in page] == [3] * 200
    assert sorted(stored_bodies(store), key=int) == [str(number) for number in range(200)]


@pytest.mark.parametrize("adder", ADDERS)
def test_what_was_acknowledged_survives_the_kill_of_every_process(
    url: str, start: Start, store: Store, adder: str
) -> None:
    adding = [start(adder, "add_for_ever", url, name) for name in "abcd"]
    first = [child.hear() for child in adding for _ in range(6)]

    for child in adding:
        child.kill()

    acknowledged = first + [body for child in adding for body in child.hear_all()]
    bodies = stored_bodies(store)
    assert len(acknowledged) > 20
    assert set(acknowledged) <= set(bodies)
    assert len(bodies) == len(set(bodies))


@pytest.mark.parametrize(("point", "remains"), [("before_commit", []), ("after_commit", ["dying"])])
def test_a_process_killed_at_its_commit_leaves_all_or_nothing_and_blocks_no_other(
    url: str, start: Start, store: Store, point: str, remains: list[str]
) -> None:
    dying: Child = start("process", "die_at", url, point)
    assert dying.was_killed

    store.receipts.add(new_receipt(b"next"))

    assert stored_bodies(store) == [*remains, "next"]


def test_a_store_stays_broken_after_an_io_error(tmp_path: object, start: Start, make_store: StoreMaker) -> None:
    url = sqlite_databases(tmp_path).migrated()  # type: ignore[arg-type]

    child = start("process", "meet_io_error", url)

    broken_before = "the database was broken before; this process must end"
    assert child.hear_all() == [
        ["StoreBroken", "the database reports an I/O error; its disk may be failing"],
        ["StoreBroken", broken_before],
        broken_before,
    ]
    assert stored_bodies(make_store(url)) == ["before"]


def test_readers_miss_no_event_while_several_processes_split(url: str, start: Start, store: Store) -> None:
    readers = [start("event_process", "read", url, seed, types) for seed, types in enumerate(READ_TYPES)]
    splitters = [start("event_process", "split", url, name, 80) for name in "abc"]
    assert all(child.succeeds() for child in splitters)
    put_events(store, new_event("last", kind=LAST))

    read = [reader.hear() for reader in readers]

    added = [event.sequence for event in store.events.after(0, limit=1000)]
    assert len(added) == 3 * 80 + 1
    assert read == [added] * len(readers)


@pytest.mark.parametrize("order_keys", [None, 3])
def test_workers_that_share_a_queue_do_each_job_once(
    url: str, start: Start, store: Store, order_keys: int | None
) -> None:
    keys = [None if order_keys is None else number % order_keys for number in range(60)]
    add_events(store, *(split_event(number, order_key=key) for number, key in enumerate(keys)))

    working = [start("process", "work", url, CRM, 6, 0.002) for _ in range(4)]

    claims = [claim for child in working for claim in child.hear_all()]
    assert Counter(subject for subjects, _ in claims for subject in subjects) == Counter(range(1, 61))
    assert max(in_flight for _, in_flight in claims) <= (order_keys or 6)
    assert {one.state for one in store.deliveries.page(limit=1000)} == {DeliveryState.DELIVERED}
    assert all(len(one.attempts) == 1 for one in store.deliveries.page(limit=1000))


def test_what_a_killed_worker_had_claimed_is_done_by_another(url: str, start: Start, store: Store) -> None:
    add_events(store, *map(split_event, "abc"))
    dying = start("process", "claim_and_hang", url, CRM)
    assert dying.hear() == [1]

    dying.kill()

    working = start("process", "work", url, CRM, 6, 0)
    done = [subject for subjects, _ in working.hear_all() for subject in subjects]
    assert sorted(done) == [1, 2, 3]
