"""A worker that stood still past its lease knows what became of its POST, or that it made none."""

from datetime import timedelta
from typing import NamedTuple

import pytest

from app.domain.message import Message
from app.domain.send_answer import GIVEN_UP, Accepted, Ambiguous, NotSent, SendAnswer
from app.store import Store
from app.store.transactions.reserve_sends import Reservations
from tests.support.messages import status, tracker_of, webhook
from tests.support.sends import QUEUE, accepted, queued, refused, reserve, send, settle, stored, waiting
from tests.support.work import LEASE, Clock, add_events

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Lost(NamedTuple):
    """A message whose worker has lost its claim: `late` is what that one reserved, `other` what its successor did."""

    message: Message
    late: Reservations
    other: Reservations


def lose_claim(store: Store, clock: Clock, *, is_settled: bool) -> Lost:
    [message] = queued(store)
    late = reserve(store)
    clock.advance(MINUTE)
    other = reserve(store)
    if is_settled:
        settle(store, other)
        assert stored(store, message).status == "unknown"
    return Lost(message, late, other)


@pytest.fixture(params=[True, False], ids=["settled", "claimed"])
def taken_over(request: pytest.FixtureRequest, timed: Store, clock: Clock) -> Lost:
    """The worker that has taken the job over has recorded that the message is unknown, or is about to."""
    return lose_claim(timed, clock, is_settled=request.param)


@pytest.fixture
def unknown(timed: Store, clock: Clock) -> Lost:
    return lose_claim(timed, clock, is_settled=True)


def statuses(store: Store, message: object) -> list[str]:
    return [entry.status for entry in stored(store, message).history]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "status", "code"), [(accepted(), "accepted", None), (refused(131026), "failed", 131026)]
)
def test_a_late_answer_tells_what_became_of_a_message(
    timed: Store, answer: SendAnswer, status: str, code: int | None, taken_over: Lost
) -> None:
    message, late, other = taken_over

    assert settle(timed, late, answer) == [False]
    settle(timed, other)

    found = stored(timed, message)
    assert (found.status, found.wamid, (found.error or {}).get("code")) == (
        status,
        "wamid.A=" if code is None else None,
        code,
    )
    assert waiting(timed) == 0


@pytest.mark.parametrize("answer", [NotSent("connection refused"), refused(131016), GIVEN_UP])
def test_a_message_that_certainly_was_not_accepted_is_sent_after_all(
    timed: Store, clock: Clock, answer: SendAnswer, taken_over: Lost
) -> None:
    message, late, other = taken_over

    settle(timed, late, answer)
    assert settle(timed, other) == [False]
    between = stored(timed, message).status
    clock.advance(MINUTE)

    assert between == "queued"
    assert send(timed, accepted()) == 1
    assert (stored(timed, message).status, waiting(timed)) == ("accepted", 0)


def test_a_wait_that_a_late_refusal_asks_for_is_no_sign_of_a_clock_that_was_set_back(
    timed: Store, taken_over: Lost
) -> None:
    settle(timed, taken_over.late, refused(131016, delay=timedelta(hours=2)))

    assert timed.clock.pull_back(QUEUE, LEASE) == timedelta()


def test_a_reservation_that_was_not_used_is_taken_back_although_the_claim_is_lost(
    timed: Store, taken_over: Lost
) -> None:
    message, late, other = taken_over

    timed.sending.take_back(late.reserved)
    timed.sending.take_back(late.reserved)
    settle(timed, other)

    assert statuses(timed, message) == ["queued"]
    assert waiting(timed) == 1
    assert send(timed, accepted()) == 1


def test_a_reservation_that_is_held_is_taken_back(timed: Store) -> None:
    [message] = queued(timed)
    held = reserve(timed)

    timed.sending.take_back(held.reserved)
    timed.jobs.hand_back([job for job, _ in held.reserved])

    assert statuses(timed, message) == ["queued"]
    assert send(timed, accepted()) == 1


@pytest.mark.parametrize("answer", [refused(131026), NotSent("connection refused"), Ambiguous("no answer in time")])
def test_a_late_answer_says_nothing_about_a_later_attempt(timed: Store, answer: SendAnswer, unknown: Lost) -> None:
    message, late, _ = unknown
    timed.messages.send_again(stored(timed, message), DAY)
    again = reserve(timed)

    settle(timed, late, answer)
    timed.sending.take_back(late.reserved)

    assert (stored(timed, message).status, stored(timed, message).error) == ("sending", None)
    assert settle(timed, again, accepted("wamid.B=")) == [True]
    assert (stored(timed, message).status, stored(timed, message).wamid) == ("accepted", "wamid.B=")


def test_a_message_that_was_accepted_is_not_sent_again_by_an_operators_late_decision(
    timed: Store, unknown: Lost
) -> None:
    message, late, _ = unknown
    timed.messages.send_again(stored(timed, message), DAY)

    settle(timed, late, accepted())

    assert send(timed, accepted("wamid.B=")) == 0
    assert (stored(timed, message).status, waiting(timed)) == ("accepted", 0)


def test_a_message_that_was_accepted_in_both_attempts_has_the_id_of_the_later_one(
    timed: Store, unknown: Lost
) -> None:
    message, late, _ = unknown
    timed.messages.send_again(stored(timed, message), DAY)
    again = reserve(timed)

    settle(timed, late, accepted())
    settle(timed, again, accepted("wamid.B="))

    assert (stored(timed, message).status, stored(timed, message).wamid) == ("accepted", "wamid.B=")


def test_a_message_that_a_human_has_given_up_stays_failed_and_gets_its_wamid(timed: Store, unknown: Lost) -> None:
    message, late, _ = unknown
    timed.messages.resolve_as_failed(stored(timed, message))

    settle(timed, late, accepted())

    assert (stored(timed, message).status, stored(timed, message).wamid) == ("failed", "wamid.A=")


def test_a_status_that_came_before_the_late_answer_stands(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    late = reserve(timed)
    add_events(timed, *webhook(statuses=[status("wamid.A=", "delivered", tracker=tracker_of(timed, message))]))
    clock.advance(MINUTE)
    settle(timed, reserve(timed))

    settle(timed, late, accepted())

    assert stored(timed, message).status == "delivered"
    assert statuses(timed, message) == ["queued", "sending", "delivered", "accepted"]


def test_a_result_that_is_settled_twice_counts_once(timed: Store) -> None:
    [message] = queued(timed)
    reserved = reserve(timed)

    settled = [settle(timed, reserved, refused(131056)) for _ in range(2)]

    assert settled == [[True], [False]]
    assert (stored(timed, message).error or {})["tries"] == 1
    assert waiting(timed) == 1


def test_a_message_whose_reservation_a_fail_over_has_lost_is_not_sent_again_after_its_answer(timed: Store) -> None:
    [message] = queued(timed)
    late = reserve(timed)
    timed.sending.take_back(late.reserved)  # as a replica has it that became the server
    timed.jobs.hand_back([job for job, _ in late.reserved])

    settle(timed, late, accepted())

    assert send(timed, accepted("wamid.B=")) == 0
    assert (stored(timed, message).status, stored(timed, message).wamid) == ("accepted", "wamid.A=")
    assert waiting(timed) == 0


def test_an_early_status_is_found_by_a_late_answer(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    late = reserve(timed)
    add_events(timed, *webhook(statuses=[status("wamid.A=", "sent")]))
    clock.advance(MINUTE)
    settle(timed, reserve(timed))

    settle(timed, late, Accepted("wamid.A="))

    assert stored(timed, message).status == "sent"


def test_a_failure_that_is_reported_while_the_message_is_unknown_is_found_by_the_late_answer(
    timed: Store, unknown: Lost
) -> None:
    message, late, _ = unknown
    add_events(timed, *webhook(statuses=[status("wamid.A=", "failed", errors=[{"code": 131047}])]))

    settle(timed, late, accepted())

    assert (stored(timed, message).status, (stored(timed, message).error or {})["code"]) == ("failed", 131047)


def test_a_message_that_is_sent_again_lives_as_long_as_any_other(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    lives = []
    for _ in range(2):
        clock.advance(MINUTE)
        send(timed, Ambiguous("no answer in time"))
        again = timed.messages.send_again(stored(timed, message), DAY)
        lives.append(again.expires_at - again.updated_at)

    assert lives == [DAY, DAY]
