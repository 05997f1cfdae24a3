"""A status without our tracker joins its message once it is known whose wamid it names, whatever comes first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product, zip_longest
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from app.domain.job import Job
from app.domain.message import Message
from app.domain.send_answer import Accepted, Ambiguous
from app.domain.send_outcome import Reserved
from app.store import Store
from app.store.tables.message_schema import early_statuses
from app.store.transactions.reserve_sends import Reservations
from tests.support.messages import DAY, status, tracker_of, webhook
from tests.support.sends import LIMITS, accepted, queued, reserve, send, settle, stored
from tests.support.work import Clock, add_events

ERRORS = [{"code": 131026, "title": "Message undeliverable"}]
TOLD = ("sent", "failed", "delivered")
"""What Meta tells of a message. Its first status has our tracker, the others have none."""

ANSWER = "answer"
ANSWERS = ("accepted", "lost")
LOST = Ambiguous("no answer in time")
Steps = tuple[tuple[str, ...], ...]
"""What comes of a message, one after the other: the statuses of a webhook each time, or the answer to its POST."""


class Case(NamedTuple):
    """A message that is being sent, and what is to come of it."""

    message: Message
    sending: tuple[Job, Reserved]
    answer: str
    steps: Steps

    @property
    def wamid(self) -> str:
        return f"wamid.{self.message.row_id}"


def tell(store: Store, *statuses: Any) -> None:
    add_events(store, *webhook(statuses=list(statuses)))


def said(store: Store, message: Message, word: str, *, wamid: str = "wamid.A") -> Any:
    """Return a status of a message."""
    tracker = tracker_of(store, message) if word == TOLD[0] else None
    told = status(wamid, word, tracker=tracker)
    return {**told, "errors": ERRORS} if word == "failed" else told


def end_of(store: Store, message: Message) -> tuple[str, str | None, object]:
    found = stored(store, message)
    return found.status, found.wamid, (found.error or {}).get("code")


def early(store: Store) -> list[str]:
    return store.database.read(lambda c: list(c.execute(select(early_statuses.c.wamid)).scalars()))


def splits_of(order: Sequence[str]) -> Iterator[Steps]:
    """Yield every way in which this comes in this order: neighbours in one webhook, or in two."""
    for cuts in product((True, False), repeat=len(order) - 1):
        steps = [[order[0]]]
        for word, is_cut in zip(order[1:], cuts, strict=True):
            steps += [[word]] if is_cut else []
            steps[-1] += [] if is_cut else [word]
        if all(ANSWER not in step or len(step) == 1 for step in steps):
            yield tuple(map(tuple, steps))


def play(store: Store, cases: Sequence[Case]) -> None:
    """Let all cases take each step together: one transaction for all webhooks, and one for all answers."""
    for steps in zip_longest(*(case.steps for case in cases), fillvalue=()):
        now = list(zip(cases, steps, strict=True))
        told = [(case, word) for case, step in now for word in step if word != ANSWER]
        tell(store, *(said(store, case.message, word, wamid=case.wamid) for case, word in told))
        answered = [case for case, step in now if step == (ANSWER,)]
        answers = [LOST if case.answer == "lost" else Accepted(case.wamid) for case in answered]
        settle(store, Reservations([case.sending for case in answered]), *answers)


def test_every_order_and_every_split_into_webhooks_leads_to_the_same_end(timed: Store) -> None:
    plans = [
        (answer, steps) for answer in ANSWERS for order in permutations((*TOLD, ANSWER)) for steps in splits_of(order)
    ]
    messages = queued(timed, len(plans))
    sending = {job.subject: (job, one) for job, one in reserve(timed, replace(LIMITS, per_second=1000)).reserved}
    cases = [Case(one, sending[one.row_id], *plan) for one, plan in zip(messages, plans, strict=True)]

    play(timed, cases)

    ends = {(case.answer, case.steps): end_of(timed, case.message) for case in cases}
    expected = {(case.answer, case.steps): ("delivered", case.wamid, 131026) for case in cases}
    assert {how: end for how, end in ends.items() if end != expected[how]} == {}
    assert early(timed) == []


@pytest.mark.parametrize("order", [("sent", "failed"), ("failed", "sent")])
@pytest.mark.parametrize("is_one_webhook", [True, False])
def test_a_failure_without_a_tracker_is_that_of_an_unknown_message(
    timed: Store, order: tuple[str, ...], is_one_webhook: bool
) -> None:
    [message] = queued(timed)
    send(timed, LOST)
    told = [said(timed, message, word) for word in order]

    for statuses in [told] if is_one_webhook else [[one] for one in told]:
        tell(timed, *statuses)

    assert end_of(timed, message) == ("failed", "wamid.A", 131026)
    assert early(timed) == []


def test_a_failure_of_an_attempt_before_a_resend_does_not_end_the_next_one(timed: Store) -> None:
    [message] = queued(timed)
    send(timed, LOST)
    tell(timed, said(timed, message, "failed"))
    timed.messages.send_again(stored(timed, message), DAY)

    tell(timed, said(timed, message, "sent"))

    assert stored(timed, message).error is None
    assert (early(timed), end_of(timed, message)[1]) == ([], None)


def test_a_failure_of_an_attempt_before_a_resend_is_old_when_its_answer_comes_late(
    timed: Store, clock: Clock
) -> None:
    [message] = queued(timed)
    late = reserve(timed)
    tell(timed, said(timed, message, "failed", wamid="wamid.A="))
    clock.advance(DAY / 100)
    settle(timed, reserve(timed))
    timed.messages.send_again(stored(timed, message), DAY)
    again = reserve(timed)

    settle(timed, late, accepted())
    settle(timed, again, accepted("wamid.B="))

    assert end_of(timed, message) == ("accepted", "wamid.B=", None)


@pytest.mark.parametrize("order", [("sent", "failed"), ("failed", "sent")])
def test_a_failure_is_recorded_also_for_the_second_of_two_that_meta_has_accepted(
    timed: Store, order: tuple[str, ...]
) -> None:
    [message, _] = queued(timed, 2)
    send(timed, LOST)
    tell(timed, said(timed, message, "sent"))

    for word in order:
        tell(timed, said(timed, message, word, wamid="wamid.B"))

    assert (stored(timed, message).second_wamid, end_of(timed, message)) == ("wamid.B", ("failed", "wamid.A", 131026))
