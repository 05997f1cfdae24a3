"""Sending in the database: what is reserved, handed back and recorded, on both databases and with a moved clock."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.event import NewEvent
from app.domain.job import Dead, Job, Retry
from app.domain.job_result import JobResult
from app.domain.message import NewMessage, queue_of_number
from app.domain.meta.graph_errors import ErrorClass
from app.domain.meta.parse import split as split_body
from app.domain.pacing import Pace
from app.domain.scope_pause import ScopePause
from app.domain.send_answer import Accepted, Ambiguous, NotSent
from app.domain.split import SplitEvent, SplitReceipt
from app.store import Store, StoreUnavailable
from app.store.jobs import DIED, MAX_CLAIMS
from app.store.tables.scopes import put_scope
from tests.support.envelopes import WABA, envelope
from tests.support.messages import NUMBER, accept, new_message, status, tracker_of, webhook
from tests.support.sends import LIMITS, QUEUE, accepted, queued, refused, reserve, send, settle, stored, waiting
from tests.support.store import NOON, StoreMaker
from tests.support.work import LEASE, Clock, add_events, claim, claim_split, receive

_moments = iter(range(10_000))
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def subjects_of(reserved: Sequence[tuple[Job, Any]]) -> list[int]:
    return [job.subject for job, _ in reserved]


def test_a_reserved_message_is_marked_as_being_sent_and_carries_our_tracker(timed: Store) -> None:
    [message] = queued(timed)

    [(job, reserved)] = reserve(timed).reserved

    assert job.subject == message.row_id
    assert (stored(timed, message).status, [entry.status for entry in stored(timed, message).history]) == (
        "sending",
        ["queued", "sending"],
    )
    body = json.loads(reserved.body)
    assert body.pop("biz_opaque_callback_data") == tracker_of(timed, message)
    assert body == json.loads(timed.messages.body(message.id) or b"")


def test_an_accepted_message_has_its_wamid_and_its_job_is_done(timed: Store) -> None:
    [message] = queued(timed)

    assert send(timed, Accepted("wamid.A=", message_status="held_for_quality_assessment")) == 1

    found = stored(timed, message)
    assert (found.status, found.wamid, found.meta_status, found.error) == (
        "accepted",
        "wamid.A=",
        "held_for_quality_assessment",
        None,
    )
    assert waiting(timed) == 0


def test_a_message_that_meta_has_accepted_twice_at_once_is_counted(timed: Store) -> None:
    [message] = queued(timed)

    send(timed, Accepted("wamid.A=", second_wamid="wamid.B="))

    assert (stored(timed, message).wamid, stored(timed, message).second_wamid) == ("wamid.A=", "wamid.B=")
    assert timed.messages.counts(HOUR).sent_twice == 1


def test_a_message_that_was_being_sent_when_its_worker_died_is_never_sent_again(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    reserve(timed)
    clock.advance(MINUTE)

    found = reserve(timed)
    settle(timed, found)

    assert found.reserved == []
    assert stored(timed, message).status == "unknown"
    assert waiting(timed) == 0


def test_a_message_whose_reservation_is_in_doubt_is_sent_later_and_not_unknown(
    url: str, make_store: StoreMaker, clock: Clock
) -> None:
    failing: list[str] = []

    def fail(point: str) -> None:
        if point in failing:
            failing.remove(point)
            raise StoreUnavailable("the connection was lost during COMMIT")

    store = make_store(url, clock=clock, on_failpoint=fail)
    [cut_off] = queued(store)
    reserve(store)
    clock.advance(MINUTE)
    [message] = queued(store)
    claimed = claim(store, QUEUE, max_in_flight=1000)
    failing.append("after_commit")

    with pytest.raises(StoreUnavailable):
        store.sending.reserve(claimed, LIMITS)
    store.jobs.hand_back(claimed)

    assert (stored(store, cut_off).status, stored(store, message).status) == ("sending", "queued")
    assert [entry.status for entry in stored(store, message).history] == ["queued"]
    assert send(store, accepted()) == 1
    assert (stored(store, cut_off).status, stored(store, message).status) == ("unknown", "accepted")


def test_an_answer_that_was_lost_leaves_the_message_unknown(timed: Store) -> None:
    [message] = queued(timed)

    send(timed, Ambiguous("no answer in time"))

    assert stored(timed, message).status == "unknown"
    assert waiting(timed) == 0


def test_answers_that_are_lost_in_a_row_cost_few_messages(timed: Store, clock: Clock) -> None:
    messages = queued(timed, 30)
    few = replace(LIMITS, per_second=2)  # a burst of 2
    sent = []
    for _ in range(6):
        sent.append(send(timed, Ambiguous("HTTP 502 without an error of the Graph API"), limits=few))
        clock.advance(SECOND)
    clock.advance(10 * SECOND)
    probe = send(timed, Ambiguous("no answer in time"), limits=few)
    statuses = [stored(timed, message).status for message in messages]

    assert (sum(sent), sent[-1], probe) == (6, 0, 1)
    assert (statuses.count("unknown"), statuses.count("queued")) == (7, 23)


def test_a_message_that_was_not_sent_is_tried_again_and_shows_why(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    statuses = []
    for _ in range(3):
        send(timed, NotSent("connection refused"))
        statuses.append((stored(timed, message).status, (stored(timed, message).error or {})["tries"]))
        clock.advance(MINUTE)
    send(timed, accepted())

    assert statuses == [("queued", 1), ("queued", 2), ("queued", 3)]
    found = stored(timed, message)
    assert (found.status, found.error) == ("accepted", None)
    assert [entry.status for entry in found.history] == ["queued", *["sending"] * 4, "accepted"]


@pytest.mark.parametrize(("is_reserved", "status"), [(False, "failed"), (True, "unknown")])
def test_a_message_that_kills_its_workers_ends_and_is_reported(
    timed: Store, clock: Clock, caplog: pytest.LogCaptureFixture, is_reserved: bool, status: str
) -> None:
    [message], claims = queued(timed), 0
    if is_reserved:
        reserve(timed)
        clock.advance(MINUTE)
    while claim(timed, QUEUE):
        claims += 1
        clock.advance(MINUTE)

    assert claims == MAX_CLAIMS - is_reserved
    assert (stored(timed, message).status, waiting(timed)) == (status, 0)
    assert (stored(timed, message).error or {}).get("message") == (None if is_reserved else DIED)
    assert [(record.getMessage(), record.queue, record.reason) for record in caplog.records] == [
        ("worker.gave_up", QUEUE, DIED)
    ]


def test_a_final_refusal_fails_this_message_only(timed: Store) -> None:
    first, second = queued(timed, 2)

    send(timed, refused(131026), accepted())

    assert (stored(timed, first).status, stored(timed, second).status) == ("failed", "accepted")
    error = stored(timed, first).error
    assert error is not None
    assert (error["code"], error["class"]) == (131026, "recipient")
    assert timed.sending.pauses() == []


def test_a_message_that_waited_too_long_expires_without_a_post(timed: Store, clock: Clock) -> None:
    [message] = queued(timed, lifetime=MINUTE)
    clock.advance(MINUTE)

    assert send(timed, accepted()) == 0
    assert stored(timed, message).status == "expired"
    assert waiting(timed) == 0


def test_a_message_that_was_erased_while_it_waited_is_done(timed: Store) -> None:
    from sqlalchemy import delete

    from app.store.tables.message_schema import messages

    queued(timed)
    timed.write(lambda c: c.execute(delete(messages)))

    assert send(timed, accepted()) == 0
    assert waiting(timed) == 0


@pytest.mark.parametrize(("hours", "count"), [(23, 1), (25, 0)])
def test_the_window_is_looked_at_again_before_the_post(timed: Store, hours: int, count: int) -> None:
    from sqlalchemy import insert

    from app.domain.message import contact_number
    from app.store.tables.message_schema import conversations

    [message] = accept(timed, new_message(to="+4915112345678"))
    values = {"phone_number_id": NUMBER, "contact": contact_number("4915112345678"), "updated_at": NOON}
    last = {"last_inbound_at": NOON - timedelta(hours=hours)}
    timed.write(lambda c: c.execute(insert(conversations).values({**values, **last})))

    assert send(timed, accepted(), limits=replace(LIMITS, window_policy="enforce")) == count

    error = stored(timed, message).error
    assert (error or {}).get("code") == (None if count else "window_closed")


def with_order(kind: str, expires_at: datetime, **how: Any) -> NewMessage:
    """A message with an order that a customer can pay until then."""
    order = {"order": {"expiration": {"timestamp": str(int(expires_at.timestamp()))}}}
    interactive = {"type": "order_details", "action": {"name": "review_and_pay", "parameters": order}}
    button = {"type": "button", "parameters": [{"type": "action", "action": {"order_details": order}}]}
    content = {"interactive": interactive, "template": {"name": "pay", "components": [button]}}[kind]
    return new_message(**how)._replace(type=kind, body=json.dumps({"type": kind, kind: content}).encode())


@pytest.mark.parametrize("kind", ["interactive", "template"])
def test_an_order_that_expires_while_it_waits_is_not_sent(timed: Store, clock: Clock, kind: str) -> None:
    late, later = accept(timed, with_order(kind, NOON + MINUTE), with_order(kind, NOON + 2 * MINUTE, to="+4915199"))
    clock.advance(MINUTE)

    assert send(timed, accepted()) == 1

    failed, error = stored(timed, late), stored(timed, late).error or {}
    assert (failed.status, error["code"], stored(timed, later).status) == ("failed", "order_expired", "accepted")
    assert (error["class"], "later expiration" in error["hint"], waiting(timed)) == ("content", True, 0)


def test_the_window_is_open_although_the_customer_wrote_last_under_another_name(timed: Store, clock: Clock) -> None:
    text = {"type": "text", "text": {"body": "hi"}}
    long_ago, just_now = (str(int((NOON - timedelta(hours=hours)).timestamp())) for hours in (30, 1))
    add_events(timed, *webhook(messages=[{"id": "wamid.1", "from": "4915112345678", "timestamp": long_ago, **text}]))
    [message] = accept(timed, new_message(to="+4915112345678"))
    named = {"id": "wamid.2", "from": "4915112345678", "from_user_id": "DE.1", "timestamp": just_now}
    add_events(timed, *webhook(messages=[{**named, **text}]))

    send(timed, accepted(), limits=replace(LIMITS, window_policy="enforce"))

    assert stored(timed, message).status == "accepted"


def test_a_number_that_is_too_fast_keeps_its_pace_over_all_workers(
    url: str, make_store: StoreMaker, clock: Clock
) -> None:
    workers = [make_store(url, clock=clock) for _ in range(4)]
    queued(workers[0], 400)

    def work(number: int) -> int:
        claimed = claim(workers[number], QUEUE, max_in_flight=1000, limit=LIMITS.batch)
        return len(workers[number].sending.reserve(claimed, LIMITS).reserved) if claimed else 0

    sent = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(40):
            sent.append(0)
            while count := sum(pool.map(work, range(4))):  # 0: none of them may send more
                sent[-1] += count
            clock.advance(timedelta(milliseconds=100))

    assert sent[0] == 41  # the burst
    assert 41 + 39 * 8 - 4 <= sum(sent) <= 41 + 39 * 8


def test_what_is_held_back_by_the_pace_leaves_in_its_order(timed: Store, clock: Clock) -> None:
    slow = replace(LIMITS, per_second=2)
    accepted_first = queued(timed, 3)
    clock.advance(SECOND)
    accepted_later = queued(timed, 3)
    left = []
    for _ in range(20):
        reservations = reserve(timed, slow)
        left += subjects_of(reservations.reserved)
        settle(timed, reservations, accepted())
        clock.advance(timedelta(milliseconds=300))

    assert left == [message.row_id for message in (*accepted_first, *accepted_later)]


def test_a_refusal_for_the_rate_halves_the_pace_of_the_number(timed: Store, clock: Clock) -> None:
    queued(timed, 200)
    send(timed, refused(130429))
    clock.advance(SECOND)

    assert send(timed, accepted()) in range(20, 30)


def test_a_customer_gets_45_messages_and_then_one_in_6_seconds_in_order(timed: Store, clock: Clock) -> None:
    fast = replace(LIMITS, per_second=1000)
    messages = accept(timed, *(new_message(to="+4915112345678") for _ in range(47)))
    [other] = queued(timed)
    sent_at = []
    for _ in range(70):
        reservations = reserve(timed, fast)
        sent_at += [(row_id, clock.now - NOON) for row_id in subjects_of(reservations.reserved)]
        settle(timed, reservations, accepted())
        clock.advance(timedelta(milliseconds=200))

    mine = [(row_id, at) for row_id, at in sent_at if row_id != other.row_id]
    assert [row_id for row_id, _ in mine] == [message.row_id for message in messages]
    assert (other.row_id, timedelta()) in sent_at
    assert [at for _, at in mine][44:] == [44 * timedelta(seconds=0.2), 9 * SECOND, 12 * SECOND]


def test_two_names_that_are_linked_while_their_messages_wait_share_the_pace_of_one_customer(
    timed: Store, clock: Clock
) -> None:
    by_phone = [new_message(to="+4915112345678") for _ in range(3)]
    accept(timed, *by_phone, *(new_message()._replace(to=None, recipient="DE.1") for _ in range(3)))
    linked = {"id": "wamid.in", "from": "4915112345678", "from_user_id": "DE.1", "timestamp": "1764000000"}
    add_events(timed, *webhook(messages=[{**linked, "type": "text", "text": {"body": "hi"}}]))
    slow = replace(LIMITS, pair=Pace(6 * SECOND, 4))

    left = []
    for _ in range(5):
        left.append(send(timed, accepted(f"wamid.{clock.now}"), limits=slow))
        clock.advance(SECOND)

    assert sum(left) == 4


def test_a_customer_who_is_refused_for_the_pace_waits_and_nobody_else(timed: Store, clock: Clock) -> None:
    first, second = accept(timed, new_message(to="+4915112345678"), new_message(to="+4915112345678"))
    waits = []
    for expected in (4, 16, 64):
        assert send(timed, refused(131056)) == 1
        clock.advance(expected * SECOND - SECOND / 10)
        waits.append(send(timed, accepted()))
        clock.advance(SECOND)
    [other] = queued(timed)
    send(timed, accepted("wamid.1"))
    send(timed, accepted("wamid.2"))

    assert waits == [0, 0, 0]
    assert [stored(timed, message).status for message in (first, second, other)] == ["accepted"] * 3
    assert send(timed) == 0


def test_messages_to_a_customer_leave_in_order_although_their_names_are_linked_meanwhile(timed: Store) -> None:
    by_phone = accept(timed, *(new_message(to="+4915112345678") for _ in range(2)))
    send(timed, Accepted("wamid.1", "4915112345678", "DE.1"))
    by_phone += accept(timed, new_message(to="+4915112345678"))
    by_user_id = accept(timed, new_message()._replace(to=None, recipient="DE.1"))

    left = []
    while (reservations := reserve(timed)).reserved:
        left += [subjects_of(reservations.reserved)]
        settle(timed, reservations, accepted())

    assert left == [[message.row_id] for message in (*by_phone[1:], *by_user_id)]
    again = accept(timed, new_message(to="+4915112345678"))
    assert [job.subject for job, _ in reserve(timed).reserved] == [again[0].row_id]


def test_a_parked_message_delays_no_other_of_its_customer(timed: Store, clock: Clock) -> None:
    parked, *others = accept(timed, *(new_message(to="+4915112345678") for _ in range(3)))
    send(timed, refused(132069))
    for _ in others:
        send(timed, accepted())
    between = [stored(timed, message).status for message in (parked, *others)]
    clock.advance(60 * MINUTE)
    accept(timed, new_message(to="+4915112345678"))

    assert between == ["queued", "accepted", "accepted"]
    assert send(timed, accepted()) == 2
    assert stored(timed, parked).status == "accepted"


def test_a_parked_message_can_be_cancelled(timed: Store) -> None:
    [parked] = queued(timed)
    send(timed, refused(132069))

    assert timed.messages.cancel(parked).status == "cancelled"
    assert waiting(timed) == 0


def test_a_stopped_account_keeps_its_queue_and_is_reported_once(timed: Store, clock: Clock) -> None:
    messages = queued(timed, 30)
    send(timed, refused(190, subcode=463))

    first, again = reserve(timed), reserve(timed)

    [pause] = timed.sending.pauses()
    assert (pause.name, pause.code, pause.error_class) == ("app", 190, "stopped")
    assert pause.explained().startswith("190/463: said; give `auth.accessToken` a valid token")
    assert {stored(timed, message).status for message in messages} == {"queued"}
    assert (first.reserved, again.reserved) == ([], [])


def test_a_probe_that_is_accepted_ends_the_pause(timed: Store, clock: Clock) -> None:
    messages = queued(timed, 30)
    send(timed, refused(100, subcode=33))
    reserve(timed)
    clock.advance(5 * MINUTE)

    probe = reserve(timed)
    clock.advance(SECOND)
    beside = reserve(timed)
    settle(timed, probe, accepted())

    assert (len(probe.reserved), beside.reserved) == (1, [])
    assert timed.sending.pauses() == []
    assert send(timed, accepted()) == 29
    assert {stored(timed, message).status for message in messages} == {"accepted"}


def test_a_probe_that_is_refused_pauses_again(timed: Store, clock: Clock) -> None:
    queued(timed, 3)
    send(timed, refused(131048))
    clock.advance(10 * MINUTE)
    send(timed, refused(131048))

    [pause] = timed.sending.pauses()

    assert (pause.trips, pause.until) == (2, clock.now + 60 * MINUTE)


def test_messages_that_were_stopped_together_wait_again_if_the_cause_is_not_mended(
    timed: Store, clock: Clock
) -> None:
    first, second, third = queued(timed, 3)
    send(timed, refused(190), accepted(), refused(190))
    clock.advance(SECOND)
    timed.sending.resume("app")
    send(timed, refused(190))

    assert {stored(timed, message).status for message in (first, third)} == {"queued"}
    assert stored(timed, second).status == "accepted"


def test_a_resume_by_hand_sends_what_waited(timed: Store) -> None:
    queued(timed, 5)
    send(timed, refused(131031))
    reserve(timed)

    assert timed.sending.resume(f"waba:{WABA}")
    assert not timed.sending.resume(f"waba:{WABA}")
    assert send(timed, accepted()) == 5


def test_what_was_refused_before_a_resume_does_not_pause_again(timed: Store, clock: Clock) -> None:
    add_events(timed, *webhook(statuses=[failed(131042)]))
    clock.advance(MINUTE)
    timed.sending.resume(f"waba:{WABA}")
    add_events(timed, *webhook(statuses=[failed(131042, at=30, wamid="wamid.B=")]))
    [before] = timed.sending.pauses()
    add_events(timed, *webhook(statuses=[failed(131042, at=90, wamid="wamid.C=")]))

    assert before.until == clock.now
    assert [(pause.trips, pause.until) for pause in timed.sending.pauses()] == [(2, None)]


def test_a_new_process_probes_what_is_stopped_and_not_what_cools(timed: Store) -> None:
    queued(timed, 3)
    send(timed, refused(190), refused(131048))
    reserve(timed)

    timed.sending.probe_stopped()

    by_name = {pause.name: pause.until for pause in timed.sending.pauses()}
    assert by_name == {"app": NOON, f"number:{NUMBER}": NOON + 10 * MINUTE}


def test_the_numbers_of_one_app_are_stopped_together_and_one_of_them_alone(timed: Store, clock: Clock) -> None:
    other = "106540352242999"
    queued(timed, 2)
    queued(timed, 2, number=other)
    send(timed, refused(33))

    assert len(reserve(timed, queue=queue_of_number(other)).reserved) == 2
    send(timed, refused(190))
    clock.advance(5 * MINUTE)
    send(timed, refused(190))
    queued(timed, 2, number=other)
    assert reserve(timed, queue=queue_of_number(other)).reserved == []


def test_a_job_that_is_given_up_leaves_no_message_behind(timed: Store) -> None:
    queued_one, sending = queued(timed, 2)
    claimed = claim(timed, QUEUE)
    timed.sending.reserve([job for job in claimed if job.subject == sending.row_id], LIMITS)

    timed.jobs.settle([JobResult(job, Dead("its worker died 5 times")) for job in claimed])

    assert (stored(timed, queued_one).status, stored(timed, sending).status) == ("failed", "unknown")
    error = stored(timed, queued_one).error
    assert error == {"message": "its worker died 5 times", "class": "other"}


def test_a_queue_that_rests_is_claimed_from_again_at_the_end_of_its_rest(timed: Store, clock: Clock) -> None:
    queued(timed, 50)
    send(timed, accepted())

    next_due = timed.jobs.next_due_in(QUEUE)
    assert next_due is not None
    assert claim(timed, QUEUE) == []
    clock.advance(timedelta(seconds=next_due))
    assert len(claim(timed, QUEUE, max_in_flight=100)) == 9


def test_a_rest_that_a_wrong_clock_has_set_is_none(timed: Store, clock: Clock) -> None:
    queued(timed, 50)
    send(timed, accepted())
    clock.advance(-timedelta(days=1))

    found = timed.queues.get(QUEUE)
    assert found is not None
    assert found.as_of(clock.now).rest_until is None


def test_messages_leave_although_the_clock_is_set_back_by_an_hour(timed: Store, clock: Clock) -> None:
    waiting = queued(timed, 60)
    send(timed, accepted())
    clock.advance(timedelta(hours=-1))
    [later] = accept(timed, new_message(to="+4915112345679"))

    timed.clock.pull_back(QUEUE, LEASE)
    for _ in range(20):
        send(timed, accepted())
        clock.advance(SECOND / 10)

    assert {stored(timed, message).status for message in (waiting[-1], later)} == {"accepted"}


def failed(code: int, *, at: int = 0, wamid: str = "wamid.A=") -> dict[str, Any]:
    """Return a status of a message that has failed this many seconds after noon."""
    return status(wamid, "failed", at=NOON + at * SECOND, errors=[{"code": code, "title": "refused"}])


def test_a_failure_in_a_status_pauses_its_account_and_sends_nothing_again(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    send(timed, accepted())
    add_events(timed, *webhook(statuses=[failed(131042)]))
    more = queued(timed, 3)
    clock.advance(timedelta(days=1) - MINUTE)

    assert send(timed) == 0
    assert stored(timed, message).status == "failed"
    assert {stored(timed, one).status for one in more} == {"queued"}
    [pause] = timed.sending.pauses()
    assert (pause.name, pause.code, pause.until) == (f"waba:{WABA}", 131042, None)
    timed.sending.probe_stopped()
    assert send(timed) == 0
    timed.sending.resume(pause.name)
    assert send(timed, accepted("wamid.B=")) == 1


def test_an_accepted_probe_does_not_end_a_pause_that_ends_by_hand_only(timed: Store, clock: Clock) -> None:
    queued(timed, 2)
    send(timed, refused(33))
    clock.advance(5 * MINUTE)
    probe = reserve(timed)
    timed.sending.resume(f"number:{NUMBER}")
    add_events(timed, *webhook(statuses=[failed(131042, at=600)]))
    settle(timed, probe, accepted())

    assert [(pause.code, pause.until) for pause in timed.sending.pauses()] == [(131042, None)]


def test_a_probe_that_fails_for_an_outage_of_meta_ends_no_pause(timed: Store, clock: Clock) -> None:
    queued(timed)
    for _ in range(2):
        send(timed, refused(1))
        clock.advance(MINUTE)
    timed.write(lambda c: put_scope(c, ScopePause("app", ErrorClass.STOPPED, 190, "", NOON, NOON, 1)))

    send(timed, refused(1))

    assert [pause.name for pause in timed.sending.pauses()] == ["app"]


def test_failures_of_one_cause_pause_once(timed: Store) -> None:
    add_events(timed, *webhook(statuses=[failed(131048, at=number) for number in range(3)]))
    add_events(timed, *webhook(statuses=[failed(131048, at=-5)]))

    assert [pause.trips for pause in timed.sending.pauses()] == [1]


@pytest.mark.parametrize("value", [{"errors": [{"code": 130429, "title": "Rate"}]}, {"statuses": [failed(130429)]}])
def test_a_webhook_that_says_that_a_number_is_too_fast_slows_it(timed: Store, value: dict[str, Any]) -> None:
    queued(timed, 50)

    add_events(timed, *webhook(**value))

    assert send(timed, accepted()) == 21
    assert timed.sending.pauses() == []


def test_an_error_about_one_customer_pauses_nothing(timed: Store) -> None:
    add_events(
        timed, *webhook(statuses=[failed(131026)]), *webhook(number="999", statuses=[failed(190)], foreign=True)
    )

    assert timed.sending.pauses() == []


def banned(state: str, event: str = "DISABLED_UPDATE", **more: str) -> list[NewEvent]:
    """What a webhook of this moment says of the only account of the profile."""
    value = {"event": event, "ban_info": {"waba_ban_state": state}, **more}
    body = json.dumps(envelope({"field": "account_update", "value": value})).encode()
    at = NOON + next(_moments) * SECOND
    return split_body(body, sha256=hashlib.sha256(body).digest(), received_at=at)


def hear_of_account(store: Store, told: list[NewEvent]) -> None:
    job, pending = claim_split(store), receive(store)
    receipt = SplitReceipt(pending[-1], [SplitEvent(one) for one in told])
    store.events.add(job, [receipt], timedelta(seconds=30), WABA)
    store.jobs.settle([JobResult(job, Retry(timedelta()))])


def account_update(store: Store, *states: str, event: str = "DISABLED_UPDATE") -> None:
    """Split webhooks in which Meta bans or reinstates the only account of the profile."""
    for state in states:
        hear_of_account(store, banned(state, event))


@pytest.mark.parametrize(
    ("states", "event", "paused"),
    [
        (["SCHEDULE_FOR_DISABLE"], "DISABLED_UPDATE", False),
        (["DISABLE"], "DISABLED_UPDATE", True),
        (["DISABLE", "REINSTATE"], "DISABLED_UPDATE", False),
        (["REINSTATE", "DISABLE"], "DISABLED_UPDATE", True),
        ([""], "ACCOUNT_DELETED", True),
        ([""], "VERIFIED_ACCOUNT", False),
    ],
)
def test_an_account_that_meta_bans_is_paused_before_the_first_refusal(
    timed: Store, states: list[str], event: str, paused: bool
) -> None:
    queued(timed)

    account_update(timed, *states, event=event)

    assert [pause.name for pause in timed.sending.pauses()] == ([f"waba:{WABA}"] if paused else [])
    limits = replace(LIMITS, waba_id=WABA)
    assert send(timed, accepted(), limits=limits) == (0 if paused else 1)


def test_a_number_sends_at_once_when_meta_has_reinstated_its_account(timed: Store) -> None:
    queued(timed)
    account_update(timed, "DISABLE")
    assert send(timed) == 0

    account_update(timed, "REINSTATE")

    assert send(timed, accepted()) == 1


def test_a_ban_that_is_reported_after_the_account_was_reinstated_pauses_nothing(timed: Store, clock: Clock) -> None:
    clock.advance(5 * HOUR)  # later than what is told
    ban = banned("DISABLE")
    account_update(timed, "REINSTATE")

    hear_of_account(timed, ban)
    late = timed.sending.pauses()
    account_update(timed, "", event="ACCOUNT_DELETED")

    assert (late, len(timed.sending.pauses())) == ([], 1)


def test_a_ban_is_not_ended_by_a_reinstatement_of_before_it_that_comes_late(timed: Store, clock: Clock) -> None:
    clock.advance(5 * HOUR)  # later than what is told
    reinstated = banned("REINSTATE")
    account_update(timed, "DISABLE")

    hear_of_account(timed, reinstated)
    late = timed.sending.pauses()
    hear_of_account(timed, banned("REINSTATE", said="again"))

    assert (len(late), timed.sending.pauses()) == (1, [])


def test_a_customer_whom_meta_spells_otherwise_is_one_contact(timed: Store) -> None:
    """Brazil's ninth digit; and a user id beside a phone number."""
    accept(timed, new_message(to="+5531988880001"))
    send(timed, Accepted("wamid.A", "553188880001", "BR.1"))

    accept(timed, *(new_message(to=to) for to in ("+5531988880001", "+553188880001")))

    assert len(timed.messages.page(contact="BR.1", limit=9)) == 3
    assert len(claim(timed, QUEUE, max_in_flight=9)) == 1


def test_a_number_without_a_user_stays_with_the_contact_that_it_is_linked_to(timed: Store) -> None:
    written = {"id": "wamid.in", "from": "553188880001", "from_user_id": "BR.1", "timestamp": "1764000000"}
    text = {"type": "text", "text": {"body": "hi"}}
    add_events(timed, *webhook(messages=[{**written, **text}]))
    accept(timed, new_message(to="+5531988880001"))
    send(timed, Accepted("wamid.A", "553188880001"))

    accept(timed, new_message(to="+5531988880001"))

    assert len(timed.messages.page(contact="BR.1", limit=9)) == 2


def test_the_pace_of_a_customer_is_forgotten_once_it_holds_nothing_back(timed: Store, clock: Clock) -> None:
    queued(timed, 2)
    send(timed, refused(131056), accepted())
    clock.advance(3 * SECOND)

    early = timed.message_retention.prune_pairs(before=clock.now)
    clock.advance(HOUR)
    late = timed.message_retention.prune_pairs(before=clock.now)

    assert (early.deleted, late.deleted) == (0, 2)
