"""The budget for the bytes of bodies: which body is given up when it is full, and what the others are told."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event

from app.web.body import finish_body, read_body
from app.web.body_budget import HELD, BodyBudget
from app.web.errors import ApiError

LIMIT = 1000
MAX_BODY = 700


class HeldBody:
    """A body of which this many bytes come, and then nothing more."""

    def __init__(self, sent: int) -> None:
        self._sent = sent

    def read(self, size: int, /) -> bytes:
        if not self._sent:
            Event().wait()
        piece, self._sent = b"x" * min(size, self._sent), max(0, self._sent - size)
        return piece


class WholeBody(HeldBody):
    """A body that comes whole, at once."""

    def read(self, size: int, /) -> bytes:
        return super().read(size) if self._sent else b""


Receive = Callable[[HeldBody], "gevent.Greenlet[[], str]"]


@pytest.fixture
def budget(request: pytest.FixtureRequest) -> BodyBudget:
    """A budget of so many bytes; of `LIMIT`, unless the test names another number."""
    return BodyBudget(getattr(request, "param", LIMIT))


@pytest.fixture
def receive(budget: BodyBudget) -> Iterator[Receive]:
    """Receive a body in a greenlet of its own, as far as it comes. The greenlet ends with what the client is told."""
    receiving: list[gevent.Greenlet[[], str]] = []

    def answer_to(body: HeldBody) -> str:
        environ = {"wsgi.input": body, "CONTENT_LENGTH": str(MAX_BODY)}
        if isinstance(body, WholeBody):
            environ["CONTENT_LENGTH"] = str(body._sent)
        try:
            read_body(environ, budget, limit=MAX_BODY, seconds=600)
        except ApiError as error:
            budget.release(environ)
            return error.code
        return "received"

    def start(body: HeldBody) -> "gevent.Greenlet[[], str]":
        receiving.append(gevent.spawn(answer_to, body))
        gevent.idle()
        return receiving[-1]

    yield start
    gevent.killall(receiving)


def test_the_body_that_has_been_arriving_longest_is_given_up_when_there_is_no_room(
    budget: BodyBudget, receive: Receive
) -> None:
    oldest, newer = receive(HeldBody(500)), receive(HeldBody(400))

    whole = receive(WholeBody(600))

    assert whole.get() == "received"
    assert oldest.get() == "body_timeout"
    assert not newer.dead
    assert budget.held == 1000


def test_the_connection_of_a_body_that_was_given_up_is_closed(budget: BodyBudget) -> None:
    environs: list[dict[str, Any]] = [{}, {}]
    for environ in environs:
        budget.take(budget.begin(environ), 900)
    for environ in environs:
        budget.end(environ[HELD])

    assert [finish_body(budget, environ) for environ in environs] == [False, True]
    assert budget.held == 0


def test_a_small_body_is_left_while_large_ones_are_held(receive: Receive) -> None:
    small, large = receive(HeldBody(10)), receive(HeldBody(600))

    whole = receive(WholeBody(600))

    assert whole.get() == "received"
    assert large.get() == "body_timeout"
    assert not small.dead


def test_a_large_body_is_received_while_many_small_ones_hold_all_the_room(
    budget: BodyBudget, receive: Receive
) -> None:
    small = [receive(HeldBody(10)) for _ in range(100)]

    whole = receive(WholeBody(600))

    assert whole.get() == "received"
    gevent.joinall(small[:60])
    assert [greenlet.value for greenlet in small[:60]] == ["body_timeout"] * 60
    assert not any(greenlet.dead for greenlet in small[60:])
    assert budget.held == 1000


def test_a_body_that_has_arrived_is_not_given_up(budget: BodyBudget, receive: Receive) -> None:
    arrived = receive(WholeBody(600))

    refused = receive(WholeBody(600))

    assert (arrived.get(), refused.get()) == ("received", "busy")
    assert budget.held == 600


@pytest.mark.parametrize("budget", [100], indirect=True)
def test_a_body_larger_than_the_budget_is_refused_and_not_given_up(budget: BodyBudget, receive: Receive) -> None:
    assert receive(WholeBody(600)).get() == "busy"
    assert budget.held == 0


def test_a_body_that_is_complete_before_it_hears_that_it_was_given_up_is_received(budget: BodyBudget) -> None:
    environ = {"wsgi.input": WholeBody(600), "CONTENT_LENGTH": "600"}
    share = budget.begin({})
    budget.take(share, 900)

    body = read_body(environ, budget, limit=MAX_BODY)
    budget.end(share)
    gevent.idle()

    assert len(body) == 600
    assert share.is_given_up
    assert budget.held == 600
