"""Group commit: which items share a transaction, and what each caller gets."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import gevent
import pytest
from gevent.event import Event

from app.store import StoreError, StoreUnavailable
from app.store.engine.errors import StoreRefused
from app.store.engine.group_commit import BATCH_ITEMS, WOKEN_AT_ONCE, Batch, Drain, GroupCommit, PendingWrite
from tests.support.store import unavailable
from tests.support.waiting import DEADLINE_SECONDS

MakeGroup = Callable[..., GroupCommit[Any, Any]]


class Database:
    """Remembers each transaction. `lock` is waited for before a transaction, `gate` inside it, before the commit.

    `poison`: items that raise. `is_down`: every transaction fails.
    """

    def __init__(self) -> None:
        self.transactions: list[list[Any]] = []
        self.lock, self.gate = Event(), Event()
        self.lock.set()
        self.gate.set()
        self.poison: dict[Any, Exception] = {}
        self.is_down = False

    def write(self, drain: Drain[Any]) -> list[str]:
        self.lock.wait()
        items = drain()
        self.gate.wait()
        if self.is_down:
            raise StoreUnavailable("down")
        for item in items:
            if item in self.poison:
                raise self.poison[item]
        self.transactions.append(list(items))
        return [f"stored {item}" for item in items]


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def make_group(database: Database) -> Iterator[MakeGroup]:
    groups: list[GroupCommit[Any, Any]] = []

    def make(**options: Any) -> GroupCommit[Any, Any]:
        groups.append(GroupCommit(**{"write": database.write, **options}))
        return groups[-1]

    yield make
    for group in groups:
        group.close()


@pytest.fixture
def group(make_group: MakeGroup) -> GroupCommit[Any, Any]:
    return make_group()


def add_all(group: GroupCommit[Any, Any], items: Sequence[Any], size: int = 1) -> list[gevent.Greenlet]:
    """Start a greenlet for each item, which adds it and returns its result or its error."""

    def add(item: Any) -> Any:
        try:
            return group.add(item, size)
        except StoreError as error:
            return error

    adding = [gevent.spawn(add, item) for item in items]
    gevent.idle()
    return adding


def results(adding: list[gevent.Greenlet]) -> list[Any]:
    """Each result or error, as text."""
    return [str(greenlet.get(timeout=DEADLINE_SECONDS)) for greenlet in adding]


def test_a_single_item_is_written_alone(group: GroupCommit[Any, Any], database: Database) -> None:
    assert group.add("a", 1) == "stored a"
    assert database.transactions == [["a"]]


def test_items_that_arrive_during_a_transaction_share_the_next(
    group: GroupCommit[Any, Any], database: Database
) -> None:
    database.gate.clear()
    adding = add_all(group, ["first"]) + add_all(group, [*range(10)])

    database.gate.set()

    assert results(adding) == ["stored first", *[f"stored {number}" for number in range(10)]]
    assert database.transactions == [["first"], [*range(10)]]


def test_items_that_arrive_while_a_transaction_waits_for_its_lock_join_it(
    group: GroupCommit[Any, Any], database: Database
) -> None:
    database.lock.clear()
    adding = add_all(group, ["first"]) + add_all(group, ["second", "third"])

    database.lock.set()

    assert results(adding) == ["stored first", "stored second", "stored third"]
    assert database.transactions == [["first", "second", "third"]]


def test_a_closed_batch_takes_nothing_from_the_queue() -> None:
    """Its transaction may run in a native thread after its caller has given it up."""
    queue = deque([PendingWrite("later", 1)])
    batch = Batch(queue)

    assert batch.close() == []

    with unavailable("no caller waits for this write any more"):
        batch.drain()
    assert len(queue) == 1


def test_a_batch_that_is_drained_again_returns_the_same_items() -> None:
    queue = deque([PendingWrite("a", 1)])
    batch = Batch(queue)

    taken = batch.drain()
    queue.append(PendingWrite("b", 1))

    assert (taken, batch.drain()) == (["a"], ["a"])


def test_a_batch_has_a_limit_of_items(group: GroupCommit[Any, Any], database: Database) -> None:
    items = [*range(BATCH_ITEMS + 1)]

    results(add_all(group, items))

    assert [len(transaction) for transaction in database.transactions] == [BATCH_ITEMS, 1]
    assert [*chain(*database.transactions)] == items


def test_a_batch_has_a_limit_of_bytes(group: GroupCommit[Any, Any], database: Database) -> None:
    results(add_all(group, ["a", "b", "c"], size=8 * 1024 * 1024))

    assert database.transactions == [["a", "b"], ["c"]]


def test_more_bytes_than_may_wait_are_refused(make_group: MakeGroup, database: Database) -> None:
    group = make_group(queued_bytes=20)
    database.gate.clear()
    taken = add_all(group, ["writing"], size=10)
    taken += add_all(group, ["queued"], size=10)

    refused = add_all(group, ["too much"], size=1)

    assert results(refused) == ["too much is waiting to be written"]
    database.gate.set()
    assert results(taken) == ["stored writing", "stored queued"]
    assert group.add("later", 10) == "stored later"


@pytest.mark.parametrize("poison", [ValueError("no"), StoreRefused("no")])
def test_an_item_that_cannot_be_written_does_not_fail_the_others(
    group: GroupCommit[Any, Any], database: Database, poison: Exception
) -> None:
    database.poison["bad"] = poison

    outcomes = results(add_all(group, ["a", "bad", "b"]))

    assert outcomes[0::2] == ["stored a", "stored b"]
    assert outcomes[1] in ("no", "this cannot be stored (internal error: ValueError)")
    assert group.add("later", 1) == "stored later"


def test_all_that_wait_fail_while_the_database_is_down(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    database.is_down = True
    adding = add_all(group, ["writing"]) + add_all(group, ["queued", "queued too"])

    database.gate.set()

    assert results(adding) == ["down"] * 3


def test_a_database_that_goes_down_is_not_asked_for_each_item(make_group: MakeGroup) -> None:
    transactions = []

    def write(drain: Drain[Any]) -> list[Any]:
        items = drain()
        transactions.append(len(items))
        raise StoreRefused("one of them") if len(items) > 1 else StoreUnavailable("down")

    outcomes = results(add_all(make_group(write=write), ["a", "b", "c"]))

    assert outcomes == ["down"] * 3
    assert transactions == [3, 1]


def test_writing_goes_on_when_the_database_is_up_again(group: GroupCommit[Any, Any], database: Database) -> None:
    database.is_down = True
    results(add_all(group, ["a"]))

    database.is_down = False

    assert group.add("b", 1) == "stored b"


def test_an_item_whose_greenlet_was_killed_is_still_written(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    busy = add_all(group, ["busy"])
    abandoned, patient = add_all(group, ["abandoned", "patient"])

    abandoned.kill()
    database.gate.set()

    assert results([*busy, patient]) == ["stored busy", "stored patient"]
    assert database.transactions == [["busy"], ["abandoned", "patient"]]


def test_closing_fails_every_item_that_waits(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    adding = add_all(group, ["writing"]) + add_all(group, ["queued"])

    group.close()

    assert results(adding) == ["the store is closed"] * 2


def test_closing_while_items_are_written_one_by_one_fails_them_all(make_group: MakeGroup, database: Database) -> None:
    def write(drain: Drain[Any]) -> list[Any]:
        if len(drain()) > 1:
            raise ValueError
        return database.write(drain)

    database.gate.clear()
    group = make_group(write=write)
    adding = add_all(group, ["a", "b"])

    group.close()

    assert results(adding) == ["the store is closed"] * 2


def test_a_closed_group_refuses_items(group: GroupCommit[Any, Any]) -> None:
    group.close()

    with unavailable("the store is closed"):
        group.add("late", 1)


def test_after_a_shared_batch_the_writer_waits_for_more(group: GroupCommit[Any, Any], database: Database) -> None:
    """Greenlets that are ready run first, so that their items join the next batch."""
    results(add_all(group, ["a", "b"]))
    adding = []

    def add_one_by_one() -> None:
        for item in range(5):
            adding.extend([gevent.spawn(group.add, item, 1)])
            gevent.sleep(0)

    gevent.spawn(add_one_by_one).join()

    assert results(adding) == [f"stored {item}" for item in range(5)]
    assert database.transactions == [["a", "b"], [*range(5)]]


def test_other_greenlets_run_while_the_callers_of_one_commit_are_woken() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda drain: drain())
    woken_in: list[int] = []

    def add(item: int) -> None:
        assert group.add(item, 1) == item
        woken_in.append(gevent.get_hub().loop.iteration)

    gevent.joinall([gevent.spawn(add, item) for item in range(10 * WOKEN_AT_ONCE)], raise_error=True)
    group.close()

    assert max(Counter(woken_in).values()) <= WOKEN_AT_ONCE
