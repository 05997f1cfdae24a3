"""Who accepts the next connection: not a process that is clearly ahead of another that lives."""

from collections.abc import Callable, Iterator

import pytest

from app.server.accept_balance import ProcessSlot

Make = Callable[[int], ProcessSlot]


@pytest.fixture
def make_place() -> Iterator[Make]:
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


def test_a_process_alone_is_ahead_of_nobody(make_place: Make) -> None:
    assert not make_place(1000).has_more_connections()


def test_who_has_clearly_more_is_ahead(make_place: Make) -> None:
    few, some, many = make_place(10), make_place(11), make_place(12)

    assert [slot.has_more_connections() for slot in (few, some, many)] == [False, False, True]


def test_among_many_connections_a_few_more_are_even(make_place: Make) -> None:
    few, more = make_place(1600), make_place(1700)

    assert not few.has_more_connections()
    assert not more.has_more_connections()


def test_who_accepts_no_more_is_not_waited_for(make_place: Make) -> None:
    stopping, other = make_place(0), make_place(50)

    stopping.leave()

    assert not other.has_more_connections()


def test_who_died_is_not_waited_for_once_its_master_says_so(make_place: Make) -> None:
    _dead, other = make_place(0), make_place(50)

    ProcessSlot(0).leave()

    assert not other.has_more_connections()


def test_who_has_left_does_not_come_back(make_place: Make) -> None:
    stopping, other = make_place(0), make_place(50)

    stopping.leave()
    stopping.beat()

    assert not other.has_more_connections()


def test_two_in_one_place_do_not_count_below_zero(make_place: Make) -> None:
    elder, other = make_place(20), make_place(3)
    younger = ProcessSlot(256)
    younger.beat()

    elder.add(-20)

    assert not elder.has_more_connections()
    assert other.has_more_connections()
    elder.add(3)
    assert not other.has_more_connections()
