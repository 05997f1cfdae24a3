"""What follows from Meta's answer: only what Meta has certainly not accepted is tried again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.job import Done, Retry
from app.domain.job_result import QueueSignal
from app.domain.message import Endpoint, Message, MessageStatus
from app.domain.meta.graph_errors import ErrorClass, GraphError, graph_error
from app.domain.send_answer import Accepted, Ambiguous, NotSent, Refused, SendAnswer
from app.domain.send_outcome import MAX_BACKOFF, Fault, SendOutcome, outcome_of_send
from tests.support.messages import stored_message
from tests.support.store import NOON

ON_TIME = 0.5


def message(
    error: dict[str, Any] | None = None,
    *,
    endpoint: Endpoint = "messages",
    lifetime: timedelta = timedelta(days=2),
) -> Message:
    return stored_message(endpoint=endpoint, status=MessageStatus.SENDING, expires_at=NOON + lifetime, error=error)


def outcome(answer: SendAnswer, about: Message | None = None) -> SendOutcome:
    return outcome_of_send(answer, about or message(), NOON, lambda: ON_TIME)


def refused(code: int, *, status: int = 400, delay: int = 0, **more: Any) -> Refused:
    error = graph_error({"code": code, "message": "said", **more})
    return Refused(error, status, timedelta(seconds=delay) if delay else None)


def test_an_accepted_message_is_done() -> None:
    accepted = Accepted("wamid.A=", "1", None, "held_for_quality_assessment")

    found = outcome(accepted)

    assert found == SendOutcome(MessageStatus.ACCEPTED, Done(), accepted=accepted, signal=QueueSignal.SUCCESS)
    assert found.shows_that_scopes_work


def test_a_message_whose_answer_was_lost_is_never_sent_again_and_its_queue_fails() -> None:
    found = outcome(Ambiguous("no answer in time"))

    assert found == SendOutcome(MessageStatus.UNKNOWN, Done(), signal=QueueSignal.FAILURE)
    assert not found.shows_that_scopes_work


def test_what_was_not_sent_is_tried_again_later_and_later() -> None:
    about, delays = message(), []
    for _ in range(10):
        found = outcome(NotSent("connection refused"), about)
        assert isinstance(found.job, Retry)
        delays.append(found.job.delay.total_seconds())
        about = about._replace(error=found.error)

    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert MAX_BACKOFF.total_seconds() == delays[-1]
    assert (found.status, found.signal) == (MessageStatus.QUEUED, QueueSignal.FAILURE)
    assert found.error == {"message": "connection refused", "class": "transient", "tries": 10}


def test_a_final_refusal_fails_the_message_with_its_error_and_a_hint() -> None:
    found = outcome(refused(131047, error_data={"details": "window"}))

    assert (found.status, found.job, found.refusal) == (MessageStatus.FAILED, Done(), None)
    assert found.error == {
        "code": 131047,
        "message": "said",
        "error_data": {"details": "window"},
        "class": "content",
        "hint": "more than 24 hours since the customer's last message: send a template",
        "tries": 1,
        "httpStatus": 400,
    }
    assert found.shows_that_scopes_work


@pytest.mark.parametrize(
    ("answer", "seconds", "signal"),
    [
        (refused(131000, status=500), 2, QueueSignal.SUCCESS),
        (refused(2, status=500), 2, QueueSignal.FAILURE),
        (refused(131016, status=503), 2, QueueSignal.FAILURE),
        (refused(131016, status=503, delay=90), 90, QueueSignal.FAILURE),
        (refused(132069), 3600, QueueSignal.SUCCESS),
        (refused(131049), 86400, QueueSignal.SUCCESS),
        (refused(130429), 1, QueueSignal.SUCCESS),
        (refused(131056), 0, QueueSignal.SUCCESS),
        (refused(190), 0, QueueSignal.SUCCESS),
        (Refused(None, 429), 1, QueueSignal.SUCCESS),
    ],
)
def test_a_refusal_that_may_pass_is_tried_again(answer: Refused, seconds: float, signal: QueueSignal) -> None:
    found = outcome(answer)

    assert isinstance(found.job, Retry)
    assert (found.status, found.job.delay) == (MessageStatus.QUEUED, timedelta(seconds=seconds))
    assert found.signal is signal
    assert found.error is not None
    assert found.error["tries"] == 1


def test_some_refusals_end_the_message_after_a_few_in_a_row() -> None:
    answer = refused(1, status=500)
    first = outcome(answer)
    second = outcome(answer, message(first.error))
    third = outcome(answer, message(second.error))

    assert [one.status for one in (first, second, third)] == ["queued", "queued", "failed"]
    assert outcome(answer, message({"code": 2, "class": "transient", "tries": 9})).status == "queued"


def test_a_message_that_is_stopped_again_while_others_are_sent_fails_and_pauses_nothing() -> None:
    first = outcome(refused(10))

    again = [
        outcome_of_send(refused(code), message(first.error), NOON, lambda: ON_TIME, fault=Fault.MESSAGE)
        for code in (10, 190)
    ]

    assert [(one.status, one.refusal is None) for one in again] == [("failed", True), ("queued", False)]
    assert outcome(refused(10), message(first.error)).status == "queued"


def test_a_message_is_looked_at_again_when_it_expires() -> None:
    found = outcome(refused(130429, delay=90), message(lifetime=timedelta(minutes=1)))

    assert found.job == Retry(timedelta(minutes=1))
    assert outcome(refused(130429), message(lifetime=timedelta(minutes=-1))).job == Retry(timedelta())


def test_a_parked_message_holds_up_no_other_and_fails_at_once_if_it_would_expire() -> None:
    parked = outcome(refused(132069))
    too_long = outcome(refused(131049), message(lifetime=timedelta(days=1)))

    assert parked.job == Retry(timedelta(hours=1), keeps_order=False)
    assert (too_long.status, (too_long.error or {})["code"]) == ("failed", 131049)


def test_the_endpoint_decides_what_an_error_means() -> None:
    assert outcome(refused(131009)).status == "failed"
    assert outcome(refused(131009), message(endpoint="marketing_messages")).job == Retry(
        timedelta(minutes=10), keeps_order=False
    )


@pytest.mark.parametrize(
    ("code", "subcode", "error_class", "scope"),
    [
        (190, 463, "stopped", "app"),
        (100, 33, "stopped", "number"),
        (131031, None, "stopped", "waba"),
        (131048, None, "cooled", "number"),
        (80007, None, "throttled", "waba"),
    ],
)
def test_some_refusals_pause_their_scope(code: int, subcode: int | None, error_class: str, scope: str) -> None:
    found = outcome(refused(code, error_subcode=subcode))

    assert found.refusal is not None
    assert (found.refusal.error_class, found.refusal.scope, found.refusal.code) == (error_class, scope, code)
    assert found.refusal.reason.startswith(str(code))
    assert not found.shows_that_scopes_work


def test_a_number_that_is_too_fast_is_slowed_and_paused_only_where_meta_asks_for_a_delay() -> None:
    slowed, paused, limited = outcome(refused(130429)), outcome(refused(130429, delay=7)), outcome(Refused(None, 429))

    assert [one.slows_number for one in (slowed, paused, limited)] == [True] * 3
    assert (slowed.refusal, limited.refusal) == (None, None)
    assert paused.refusal is not None
    assert paused.refusal.delay == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("code", "minutes"), [(4, 20), (80007, 20), (130429, 1 / 60), (131016, 1 / 30), (131056, 0), (131048, 0)]
)
def test_the_time_until_calls_are_regained_delays_only_what_calls_were_refused(code: int, minutes: float) -> None:
    found = outcome(replace(refused(code), regain_minutes=20))

    assert isinstance(found.job, Retry)
    assert found.job.delay == timedelta(minutes=minutes)
    assert (found.refusal is not None and found.refusal.delay == timedelta(minutes=20)) == (minutes == 20)


def test_a_limiter_that_asks_for_a_delay_pauses_the_number_without_a_code() -> None:
    found = outcome(Refused(None, 429, timedelta(seconds=7)))

    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.reason, found.refusal.error_class) == (
        0,
        "HTTP 429",
        ErrorClass.THROTTLED,
    )
    assert found.error == {"message": "HTTP 429", "class": "throttled", "tries": 1, "httpStatus": 429}


def test_a_customer_who_is_written_to_too_fast_is_paused_alone() -> None:
    found = outcome(refused(131056))

    assert (found.slows_pair, found.slows_number, found.refusal) == (True, False, None)


def test_an_error_that_is_not_listed_fails_the_message() -> None:
    found = outcome(Refused(GraphError(199999, verbatim={"code": 199999}), 400))

    assert found.error == {"code": 199999, "class": "other", "tries": 1, "httpStatus": 400}
