"""Who accepts the next connection: not a process that is clearly ahead of another that lives."""

from collections.abc import Callable, Iterator

import pytest

from app.server.accept_balance import Place

Make = Callable[[int], Place]


@pytest.fixture
def make_place() -> Iterator[Make]:
    made: list[Place] = []

    def make(connections: int) -> Place:
        place = Place(len(made))
        place.add(connections)
        place.beat()
        made.append(place)
        return place

    yield make
    for place in made:
        place.leave()


def test_a_process_alone_is_ahead_of_nobody(make_place: Make) -> None:
    assert not make_place(1000).is_ahead()


def test_who_has_clearly_more_is_ahead(make_place: Make) -> None:
    few, some, many = make_place(10), make_place(11), make_place(12)

    assert [place.is_ahead() for place in (few, some, many)] == [False, False, True]


def test_among_many_connections_a_few_more_are_even(make_place: Make) -> None:
    few, more = make_place(1600), make_place(1700)

    assert not few.is_ahead()
    assert not more.is_ahead()


def test_who_accepts_no_more_is_not_waited_for(make_place: Make) -> None:
    stopping, other = make_place(0), make_place(50)

    stopping.leave()

    assert not other.is_ahead()


def test_who_died_is_not_waited_for_once_its_master_says_so(make_place: Make) -> None:
    _dead, other = make_place(0), make_place(50)

    Place(0).leave()

    assert not other.is_ahead()


def test_who_has_left_does_not_come_back(make_place: Make) -> None:
    stopping, other = make_place(0), make_place(50)

    stopping.leave()
    stopping.beat()

    assert not other.is_ahead()


def test_two_in_one_place_do_not_count_below_zero(make_place: Make) -> None:
    elder, other = make_place(20), make_place(3)
    younger = Place(256)
    younger.beat()

    elder.add(-20)

    assert not elder.is_ahead()
    assert other.is_ahead()
    elder.add(3)
    assert not other.is_ahead()
