"""Group commit: who shares a transaction, and what each caller hears of it."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import gevent
import pytest
from gevent.event import Event

from app.store import StoreUnavailable
from app.store.engine.errors import StoreRefused
from app.store.engine.group_commit import BATCH_ITEMS, WOKEN_AT_ONCE, Batch, Drain, GroupCommit, PendingWrite
from tests.support.store import told
from tests.support.waiting import DEADLINE_SECONDS

MakeGroup = Callable[..., GroupCommit[Any, Any]]


class Database:
    """Remembers each transaction; waits for its turn before each and for the gate in it; items may be poisonous, or
    it may be away."""

    def __init__(self) -> None:
        self.transactions: list[list[Any]] = []
        self.turn, self.gate = Event(), Event()
        self.turn.set()
        self.gate.set()
        self.poison: dict[Any, Exception] = {}
        self.away = False

    def write(self, drain: Drain[Any]) -> list[str]:
        self.turn.wait()
        items = drain()
        self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
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
        groups.append(GroupCommit(database.write, **options))
        return groups[-1]

    yield make
    for group in groups:
        group.close()


@pytest.fixture
def group(make_group: MakeGroup) -> GroupCommit[Any, Any]:
    return make_group()


def add_all(group: GroupCommit[Any, Any], items: Sequence[Any], size: int = 1) -> list[gevent.Greenlet]:
    """Greenlets that each add one, and end with its result or its error."""

    def add(item: Any) -> Any:
        try:
            return group.add(item, size)
        except StoreUnavailable as error:
            return error

    adding = [gevent.spawn(add, item) for item in items]
    gevent.idle()
    return adding


def results(adding: list[gevent.Greenlet]) -> list[Any]:
    """What became of each, as text."""
    return [str(greenlet.get(timeout=DEADLINE_SECONDS)) for greenlet in adding]


def test_one_alone_is_written_alone(group: GroupCommit[Any, Any], database: Database) -> None:
    assert group.add("a", 1) == "stored a"
    assert database.transactions == [["a"]]


def test_what_gathers_during_a_transaction_shares_the_next(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    adding = add_all(group, ["first"]) + add_all(group, [*range(10)])

    database.gate.set()

    assert results(adding) == ["stored first", *[f"stored {number}" for number in range(10)]]
    assert database.transactions == [["first"], [*range(10)]]


def test_what_gathers_while_a_turn_is_waited_for_shares_it(group: GroupCommit[Any, Any], database: Database) -> None:
    database.turn.clear()
    adding = add_all(group, ["first"]) + add_all(group, ["second", "third"])

    database.turn.set()

    assert results(adding) == ["stored first", "stored second", "stored third"]
    assert database.transactions == [["first", "second", "third"]]


def test_a_turn_that_comes_after_its_time_takes_nothing() -> None:
    """It may come in a native thread that nobody waits for any more."""
    queue = deque([PendingWrite("later", 1)])
    batch = Batch(queue)

    assert batch.close() == []

    with told("no caller waits for this write any more"):
        batch.drain()
    assert len(queue) == 1


def test_a_turn_that_is_asked_again_says_the_same() -> None:
    queue = deque([PendingWrite("a", 1)])
    batch = Batch(queue)

    taken = batch.drain()
    queue.append(PendingWrite("b", 1))

    assert (taken, batch.drain()) == (["a"], ["a"])


def test_a_batch_has_at_most_so_many_items(group: GroupCommit[Any, Any], database: Database) -> None:
    items = [*range(BATCH_ITEMS + 1)]

    results(add_all(group, items))

    assert [len(transaction) for transaction in database.transactions] == [BATCH_ITEMS, 1]
    assert [*chain(*database.transactions)] == items


def test_a_batch_closes_when_it_is_big(group: GroupCommit[Any, Any], database: Database) -> None:
    results(add_all(group, ["a", "b", "c"], size=8 * 1024 * 1024))

    assert database.transactions == [["a", "b"], ["c"]]


def test_more_than_may_wait_is_refused(make_group: MakeGroup, database: Database) -> None:
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
def test_a_poisonous_item_does_not_take_the_others_with_it(
    group: GroupCommit[Any, Any], database: Database, poison: Exception
) -> None:
    database.poison["bad"] = poison

    heard = results(add_all(group, ["a", "bad", "b"]))

    assert heard[0::2] == ["stored a", "stored b"]
    assert heard[1] in ("no", "this cannot be stored")
    assert group.add("later", 1) == "stored later"


def test_who_is_written_while_the_database_is_away_hears_so(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    database.away = True
    adding = add_all(group, ["writing"]) + add_all(group, ["queued", "queued too"])

    database.gate.set()

    assert results(adding) == ["away"] * 3


def test_a_database_that_goes_away_is_not_asked_for_each_item(
    group: GroupCommit[Any, Any], database: Database
) -> None:
    asked = []

    def write(drain: Drain[Any]) -> list[Any]:
        items = drain()
        asked.append(len(items))
        raise StoreRefused("one of them") if len(items) > 1 else StoreUnavailable("away")

    group._write = write

    heard = results(add_all(group, ["a", "b", "c"]))

    assert heard == ["away"] * 3
    assert asked == [3, 1]


def test_it_goes_on_when_the_database_is_back(group: GroupCommit[Any, Any], database: Database) -> None:
    database.away = True
    results(add_all(group, ["a"]))

    database.away = False

    assert group.add("b", 1) == "stored b"


def test_what_nobody_waits_for_any_more_is_written_all_the_same(
    group: GroupCommit[Any, Any], database: Database
) -> None:
    database.gate.clear()
    busy = add_all(group, ["busy"])
    abandoned, patient = add_all(group, ["abandoned", "patient"])

    abandoned.kill()
    database.gate.set()

    assert results([*busy, patient]) == ["stored busy", "stored patient"]
    assert database.transactions == [["busy"], ["abandoned", "patient"]]


def test_closing_tells_everybody_who_waits(group: GroupCommit[Any, Any], database: Database) -> None:
    database.gate.clear()
    adding = add_all(group, ["writing"]) + add_all(group, ["queued"])

    group.close()

    assert results(adding) == ["the store is closed"] * 2


def test_closing_while_items_are_written_one_by_one_tells_everybody(
    group: GroupCommit[Any, Any], database: Database
) -> None:
    def write(drain: Drain[Any]) -> list[Any]:
        if len(drain()) > 1:
            raise ValueError
        return database.write(drain)

    database.gate.clear()
    group._write = write
    adding = add_all(group, ["a", "b"])

    group.close()

    assert results(adding) == ["the store is closed"] * 2


def test_a_closed_one_refuses(group: GroupCommit[Any, Any]) -> None:
    group.close()

    with told("the store is closed"):
        group.add("late", 1)


def test_a_crowd_is_waited_for(group: GroupCommit[Any, Any], database: Database) -> None:
    """After a batch of several the writer lets whoever is ready run first."""
    results(add_all(group, ["a", "b"]))
    adding = []

    def come_one_after_the_other() -> None:
        for item in range(5):
            adding.extend([gevent.spawn(group.add, item, 1)])
            gevent.sleep(0)

    gevent.spawn(come_one_after_the_other).join()

    assert results(adding) == [f"stored {item}" for item in range(5)]
    assert database.transactions == [["a", "b"], [*range(5)]]


def test_others_have_their_turn_while_many_are_told_of_one_commit() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda drain: drain())
    told: list[int] = []

    def add(item: int) -> None:
        assert group.add(item, 1) == item
        told.append(gevent.get_hub().loop.iteration)

    gevent.joinall([gevent.spawn(add, item) for item in range(10 * WOKEN_AT_ONCE)], raise_error=True)
    group.close()

    assert max(Counter(told).values()) <= WOKEN_AT_ONCE
