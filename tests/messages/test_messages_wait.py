"""Requests that wait for Meta's answer: one read serves all of them, and each ends at its time."""

from collections.abc import Collection
from typing import Any, cast

import gevent
import pytest

from app.domain.message import Message, MessageStatus
from app.messages.wait import AnswerWaits
from app.store import StoreUnavailable
from app.store.notify.notifier import Listener, Signal
from app.web.long_polls import LongPollLimiter
from tests.support.store import NOON
from tests.support.waiting import DEADLINE_SECONDS, wait_for


class Answers:
    """What the store knows of messages. It counts how often it is asked for many, and tells when it is changed."""

    def __init__(self) -> None:
        self.messages = self.notifier = self
        self.known: dict[str, Message] = {}
        self.reads = 0
        self.failures: list[StoreUnavailable] = []
        self._signal = Signal()

    def listen(self, _channel: str) -> Listener:
        return Listener(self._signal)

    def get(self, message_id: str) -> Message | None:
        if self.failures:
            raise self.failures[-1]
        return self.known.get(message_id)

    def answered(self, message_ids: Collection[str]) -> dict[str, Message]:
        self.reads += 1
        if self.failures:
            raise self.failures.pop()
        return {key: self.known[key] for key in message_ids if self.known[key].status != "queued"}

    def settle(self, *settled: Message) -> None:
        self.known |= {message.id: message._replace(status=MessageStatus.ACCEPTED) for message in settled}
        self._signal.notify()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def waits(answers: Answers) -> AnswerWaits:
    return AnswerWaits(cast(Any, answers), LongPollLimiter())


@pytest.fixture
def messages(answers: Answers) -> list[Message]:
    queued = [queued_message(number) for number in range(20)]
    answers.known = {message.id: message for message in queued}
    return queued


def queued_message(number: int) -> Message:
    at = {"created_at": NOON, "updated_at": NOON, "expires_at": NOON, "history": ()}
    to = {"endpoint": "messages", "type": "text", "to": "+1", "recipient": None, "tracker": None, "wamid": None}
    fields: Any = {**at, **to, "phone_number_id": "1", "contact": 1, "resends": 0, "status": MessageStatus.QUEUED}
    return Message(id=f"msg_{number:032x}", row_id=number, **fields)


def begin(waits: AnswerWaits, messages: list[Message], seconds: float = DEADLINE_SECONDS) -> list[Any]:
    """Let a request wait for each of these messages."""
    requests = [gevent.spawn(waits.wait, message, seconds) for message in messages]
    gevent.sleep(0)
    return requests


def statuses(requests: list[Any]) -> set[str]:
    gevent.joinall(requests)
    return {request.get().status for request in requests}


def test_one_read_finds_the_answers_of_all_that_wait(
    waits: AnswerWaits, answers: Answers, messages: list[Message]
) -> None:
    requests = begin(waits, messages)

    answers.settle(*messages)

    assert statuses(requests) == {"accepted"}
    assert answers.reads <= 2


def test_a_request_ends_with_its_answer_and_the_others_wait_on(
    waits: AnswerWaits, answers: Answers, messages: list[Message]
) -> None:
    first, *others = begin(waits, messages[:3])

    answers.settle(messages[0])
    ended = statuses([first])
    waiting = [request.dead for request in others]
    answers.settle(*messages)

    assert (ended, waiting, statuses(others)) == ({"accepted"}, [False, False], {"accepted"})


def test_an_answer_that_came_before_the_request_waited_is_found(
    waits: AnswerWaits, answers: Answers, messages: list[Message]
) -> None:
    answers.settle(messages[0])

    assert waits.wait(messages[0], DEADLINE_SECONDS).status == "accepted"


def test_a_request_ends_at_its_time(waits: AnswerWaits, messages: list[Message]) -> None:
    assert waits.wait(messages[0], 0.05).status == "queued"


def test_a_message_stays_accepted_though_the_store_fails(
    waits: AnswerWaits, answers: Answers, messages: list[Message]
) -> None:
    answers.failures = [StoreUnavailable("the database does not answer in time")] * 1000

    assert waits.wait(messages[0], 0.05) == messages[0]


def test_a_request_that_waits_for_more_than_a_try_is_woken_by_the_one_read(
    waits: AnswerWaits, answers: Answers, messages: list[Message]
) -> None:
    unknown = [message._replace(status=MessageStatus.UNKNOWN) for message in messages]
    answers.known = {message.id: message for message in unknown}
    requests = [
        gevent.spawn(waits.wait_in_slot, message, DEADLINE_SECONDS, lambda one: one.wamid is not None)
        for message in unknown
    ]
    gevent.sleep(0)

    answers.settle(*(message._replace(wamid="wamid.a") for message in unknown))

    assert statuses(requests) == {"accepted"}
    assert answers.reads <= 2


def test_a_request_whose_client_gives_up_ends(waits: AnswerWaits, messages: list[Message]) -> None:
    message = waits.wait_in_slot(messages[0], DEADLINE_SECONDS, lambda _: False, lambda: True)

    assert message == messages[0]


def test_a_read_that_fails_is_made_again(waits: AnswerWaits, answers: Answers, messages: list[Message]) -> None:
    requests = begin(waits, messages)
    answers.failures = [StoreUnavailable("the database does not answer in time")]

    answers.settle(*messages)
    wait_for(lambda: not answers.failures, sleep=gevent.sleep)
    answers.settle(*messages)

    assert statuses(requests) == {"accepted"}
