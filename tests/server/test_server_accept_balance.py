"""A process that has clearly more connections than another live one lets it accept first."""

from collections.abc import Callable, Iterator

import pytest

from app.server.accept_balance import ProcessSlot

Make = Callable[[int], ProcessSlot]


@pytest.fixture
def make_slot() -> Iterator[Make]:
    made: list[ProcessSlot] = []

    def make(connections: int) -> ProcessSlot:
        slot = ProcessSlot(len(made))
        slot.add(connections)
        slot.beat()
        made.append(slot)
        return slot

    yield make
    for slot in made:
        slot.leave()


def test_the_only_process_never_defers(make_slot: Make) -> None:
    assert not make_slot(1000).has_more_connections()


def test_a_process_with_clearly_more_connections_defers(make_slot: Make) -> None:
    fewest, middle, most = make_slot(10), make_slot(11), make_slot(12)

    assert [slot.has_more_connections() for slot in (fewest, middle, most)] == [False, False, True]


def test_among_many_connections_a_few_more_do_not_count(make_slot: Make) -> None:
    few, more = make_slot(1600), make_slot(1700)

    assert not few.has_more_connections()
    assert not more.has_more_connections()


def test_a_process_that_stops_accepting_is_not_waited_for(make_slot: Make) -> None:
    stopping, other = make_slot(0), make_slot(50)

    stopping.leave()

    assert not other.has_more_connections()


def test_a_dead_process_is_not_waited_for_once_the_master_says_so(make_slot: Make) -> None:
    _dead, other = make_slot(0), make_slot(50)

    ProcessSlot(0).leave()

    assert not other.has_more_connections()


def test_a_process_that_has_left_stays_away(make_slot: Make) -> None:
    stopping, other = make_slot(0), make_slot(50)

    stopping.leave()
    stopping.beat()

    assert not other.has_more_connections()


def test_two_processes_in_one_slot_do_not_count_below_zero(make_slot: Make) -> None:
    elder, other = make_slot(20), make_slot(3)
    younger = ProcessSlot(256)
    younger.beat()

    elder.add(-20)

    assert not elder.has_more_connections()
    assert other.has_more_connections()
    elder.add(3)
    assert not other.has_more_connections()
