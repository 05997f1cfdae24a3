"""Templates, flows and marketing that Meta pauses hold back their own messages, until they are resumed."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.domain.content_scope import MAX_NAME
from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.message import Message, contact_number
from app.domain.send_answer import Accepted, Ambiguous
from app.domain.split import SplitEvent, SplitReceipt
from app.store import Store
from app.store.tables.schema import jobs
from app.store.tables.sending_schema import send_scopes
from app.store.transactions.reserve_sends import Reservations
from app.store.transactions.wake_held import MAX_RELEASED, WAKE_STEP
from tests.support.envelopes import WABA
from tests.support.events import new_event
from tests.support.messages import NUMBER, accept, new_message, status, tracker_of, webhook
from tests.support.sends import LIMITS, QUEUE, accepted, refused, reserve, send, settle, stored, waiting
from tests.support.work import AT_ONCE, LEASE, Clock, claim_split, receive

OURS = replace(LIMITS, waba_id=WABA)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SOMEBODY, OTHER = "+4915112345678", "+4915100000"


def template(name: str = "sale", *, to: str = SOMEBODY, language: str = "en", lifetime: timedelta = DAY) -> Any:
    body = {"to": to, "type": "template", "template": {"name": name, "language": {"code": language}}}
    return new_message(to=to, lifetime=lifetime)._replace(type="template", body=json.dumps(body).encode())


def flow(flow_id: str = "1", *, to: str = SOMEBODY) -> Any:
    action = {"name": "flow", "parameters": {"flow_id": flow_id}}
    body = {"to": to, "type": "interactive", "interactive": {"type": "flow", "action": action}}
    return new_message(to=to)._replace(type="interactive", body=json.dumps(body).encode())


def hear(store: Store, *events: SplitEvent) -> None:
    """Add events of our account, as the splitter does."""
    [receipt] = receive(store)
    job = claim_split(store)
    store.events.add(job, [SplitReceipt(receipt, events)], LEASE, WABA)
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])


def failure(store: Store, message: Message, code: int, at: datetime) -> list[SplitEvent]:
    told = status(
        f"wamid.{message.row_id}", "failed", at=at, tracker=tracker_of(store, message), errors=[{"code": code}]
    )
    return webhook(statuses=[told])


def failed(store: Store, message: Message, code: int) -> None:
    hear(store, *failure(store, message, code, store.clock.now()))


def change(store: Store, event: str, name: str = "sale") -> SplitEvent:
    raw = {"event": event, "message_template_name": name, "message_template_language": "en"}
    made = new_event(f"{event} {name} {store.clock.now()}", kind="template.status", raw=raw, wa_id=None)
    return SplitEvent(replace(made, waba_id=WABA, phone_number_id=None, occurred_at=store.clock.now()))


def told(store: Store, event: str) -> None:
    """Hear of a change of a template."""
    hear(store, change(store, event))


def leaves(store: Store) -> int:
    return send(store, accepted(), limits=OURS)


def test_what_pauses_marketing_is_recorded_also_if_its_name_is_long(timed: Store, clock: Clock) -> None:
    phones = (f"+49151123{number:05}" for number in range(1000))
    one, other = islice((phone for phone in phones if contact_number(phone[1:]) >= 10**18), 2)
    refusing, limited = accept(timed, template("a" * 60, to=one), template("a" * 60, to=other))

    send(timed, refused(131050), accepted(f"wamid.{limited.row_id}"), limits=OURS)
    failed(timed, limited, 131049)

    assert [stored(timed, message).status for message in (refusing, limited)] == ["failed", "failed"]
    names = timed.database.read(lambda c: c.execute(select(send_scopes.c.name)).scalars().all())
    assert {(name.count(":"), len(name) <= MAX_NAME) for name in names} == {(3, True)}
    [later] = accept(timed, template("a" * 60, to=one))
    assert (leaves(timed), stored(timed, later).status) == (0, "failed")


def test_a_paused_template_holds_back_its_own_messages_and_nobody_else(timed: Store, clock: Clock) -> None:
    [first] = accept(timed, template())
    assert send(timed, refused(132015), limits=OURS) == 1
    assert stored(timed, first).status == "failed"

    held, text, other, german = accept(
        timed, template(), new_message(to=SOMEBODY), template("greeting", to=OTHER), template(to=OTHER, language="de")
    )
    reservations = reserve(timed, OURS)
    settle(timed, reservations, accepted())
    assert leaves(timed) == 2  # those that waited behind their customers' first ones

    assert {stored(timed, one).status for one in (text, other, german)} == {"accepted"}
    assert stored(timed, held).status == "queued"
    [pause] = timed.sending.pauses()
    assert (pause.name, pause.code, pause.until) == (f"template:{WABA}:sale.en", 132015, None)
    holds = timed.messages.holds([stored(timed, one) for one in (held, text)], WABA, None)
    assert {message_id: hold.scope for message_id, hold in holds.items()} == {held.id: pause.name}


def test_a_template_that_is_approved_again_goes_on(timed: Store, clock: Clock) -> None:
    told(timed, "PAUSED")
    [held] = accept(timed, template())
    assert leaves(timed) == 0
    clock.advance(MINUTE)
    told(timed, "FLAGGED")
    assert leaves(timed) == 0

    told(timed, "APPROVED")

    assert (leaves(timed), stored(timed, held).status, timed.sending.pauses()) == (1, "accepted", [])


def test_a_disabled_template_goes_on_by_hand(timed: Store) -> None:
    told(timed, "DISABLED")
    accept(timed, template())
    assert leaves(timed) == 0

    assert timed.sending.resume(f"template:{WABA}:sale.en") is not None

    assert leaves(timed) == 1


def test_a_template_is_not_approved_by_a_word_of_before_it_was_disabled(timed: Store, clock: Clock) -> None:
    approved = change(timed, "APPROVED")
    clock.advance(MINUTE)
    told(timed, "DISABLED")
    accept(timed, template())
    clock.advance(MINUTE)

    hear(timed, approved)

    assert (leaves(timed), len(timed.sending.pauses())) == (0, 1)


def test_a_held_message_expires(timed: Store, clock: Clock) -> None:
    told(timed, "DISABLED")
    [held] = accept(timed, template(lifetime=HOUR))
    for _ in range(7):
        assert leaves(timed) == 0
        clock.advance(10 * MINUTE)

    assert stored(timed, held).status == "expired"


def test_a_throttled_flow_waits_for_an_hour(timed: Store, clock: Clock) -> None:
    accept(timed, flow())
    send(timed, refused(132069), limits=OURS)
    accept(timed, flow(to=OTHER), flow("2", to="+4915199"))
    assert leaves(timed) == 1

    for _ in range(6):
        clock.advance(10 * MINUTE + timedelta(seconds=1))
        if leaves(timed):
            break

    assert (timed.jobs.depths()[-1].waiting, timed.sending.pauses()) == (1, [])


def test_a_failure_in_a_status_pauses_template_and_flow(timed: Store) -> None:
    of_template, of_flow = accept(timed, template(), flow(to=OTHER))
    failed(timed, of_template, 132016)
    failed(timed, of_flow, 132068)

    assert [pause.name for pause in timed.sending.pauses()] == [f"flow:{WABA}:1", f"template:{WABA}:sale.en"]


def test_a_failure_that_comes_without_a_tracker_before_the_answer_pauses_its_template(timed: Store) -> None:
    accept(timed, template())
    reservations = reserve(timed, OURS)
    hear(timed, *webhook(statuses=[status("wamid.A=", "failed", errors=[{"code": 132015}])]))

    settle(timed, reservations, accepted("wamid.A="))

    assert [pause.name for pause in timed.sending.pauses()] == [f"template:{WABA}:sale.en"]


def test_marketing_that_meta_limits_waits_for_a_day_and_other_messages_do_not(timed: Store, clock: Clock) -> None:
    [limited] = accept(timed, template())
    settle(timed, reserve(timed, OURS), accepted("wamid.1"))
    failed(timed, limited, 131049)

    soon, late, utility, other = accept(
        timed, template(), template(lifetime=3 * DAY), template("code"), template(to=OTHER)
    )
    for _ in range(4):
        leaves(timed)

    assert (stored(timed, soon).status, stored(timed, late).status) == ("failed", "queued")
    assert stored(timed, soon).error == {
        "code": 131049,
        "message": "131049; Meta limits marketing to this customer",
        "class": "parked",
    }
    assert {stored(timed, one).status for one in (utility, other)} == {"accepted"}
    assert timed.sending.pauses() == []


def preference(store: Store, value: str, of: str = SOMEBODY) -> None:
    raw = {"category": "marketing_messages", "value": value, "wa_id": of[1:]}
    made = new_event(f"{value} {of} {store.clock.now()}", kind="contact.preference", raw=raw, wa_id=of[1:])
    hear(store, SplitEvent(replace(made, phone_number_id=NUMBER, occurred_at=store.clock.now())))


def test_a_customer_who_stops_marketing_gets_none_until_it_is_wanted_again(timed: Store, clock: Clock) -> None:
    [refusing] = accept(timed, template())
    settle(timed, reserve(timed, OURS), accepted("wamid.1"))
    failed(timed, refusing, 131050)
    preference(timed, "stop")
    [of_template, by_endpoint] = accept(timed, template(), template("x")._replace(endpoint="marketing_messages"))
    assert leaves(timed) == 0
    assert leaves(timed) == 0
    assert {stored(timed, one).status for one in (of_template, by_endpoint)} == {"failed"}
    clock.advance(MINUTE)

    preference(timed, "resume")
    accept(timed, template(), template("x")._replace(endpoint="marketing_messages"))

    assert leaves(timed) + leaves(timed) == 2


def test_marketing_is_stopped_also_for_what_waits_under_a_name_that_was_linked_later(timed: Store) -> None:
    [waiting] = accept(timed, template()._replace(endpoint="marketing_messages"))
    wrote = {"id": "wamid.in", "from": SOMEBODY[1:], "from_user_id": "DE.1", "timestamp": "1764000000"}
    hear(timed, *webhook(messages=[{**wrote, "type": "text", "text": {"body": "hi"}}]))

    preference(timed, "stop")

    assert (leaves(timed), stored(timed, waiting).status) == (0, "failed")


def test_a_failure_that_is_reported_after_the_names_were_linked_stops_marketing_under_both(timed: Store) -> None:
    [limited] = accept(timed, template())
    send(timed, Accepted(f"wamid.{limited.row_id}", SOMEBODY[1:], "DE.1"), limits=OURS)
    failed(timed, limited, 131049)

    accept(timed, template(), template()._replace(to=None, recipient="DE.1"))

    assert [leaves(timed), leaves(timed)] == [0, 0]


def link(store: Store) -> None:
    """The customer writes, with a user id beside the number: both are one customer from then on."""
    wrote = {"id": "wamid.in", "from": SOMEBODY[1:], "from_user_id": "DE.1", "timestamp": "1764000000"}
    hear(store, *webhook(messages=[{**wrote, "type": "text", "text": {"body": "hi"}}]))


def to_user(made: Any) -> Any:
    return made._replace(to=None, recipient="DE.1")


def test_marketing_that_was_paused_before_the_names_were_linked_stays_paused(timed: Store, clock: Clock) -> None:
    [limited] = accept(timed, template())
    settle(timed, reserve(timed, OURS), accepted(f"wamid.{limited.row_id}"))
    failed(timed, limited, 131049)
    link(timed)

    accept(timed, to_user(template(lifetime=3 * DAY)), to_user(template("other", lifetime=3 * DAY)))

    assert leaves(timed) + leaves(timed) == 1
    assert waiting(timed) == 1
    clock.advance(DAY)
    assert leaves(timed) == 1


def test_marketing_that_was_stopped_before_the_names_were_linked_goes_on_when_it_is_wanted(
    timed: Store, clock: Clock
) -> None:
    preference(timed, "stop")
    link(timed)
    clock.advance(MINUTE)
    accept(timed, to_user(template())._replace(endpoint="marketing_messages"))
    assert leaves(timed) == 0

    raw = {"category": "marketing_messages", "value": "resume", "user_id": "DE.1"}
    made = new_event("resume", kind="contact.preference", raw=raw, wa_id=None, user_id="DE.1")
    hear(timed, SplitEvent(replace(made, phone_number_id=NUMBER, occurred_at=clock.now)))
    accept(timed, to_user(template())._replace(endpoint="marketing_messages"))

    assert leaves(timed) == 1


def test_a_customer_who_rests_under_a_number_rests_under_the_user_id_that_it_gets(timed: Store, clock: Clock) -> None:
    accept(timed, to_user(new_message()))
    send(timed, accepted(), limits=OURS)
    [fast] = accept(timed, new_message(to=SOMEBODY))
    send(timed, refused(131056), limits=OURS)
    link(timed)
    timed.messages.cancel(stored(timed, fast))

    accept(timed, to_user(new_message()))

    assert leaves(timed) == 0
    clock.advance(MINUTE)
    assert leaves(timed) == 1


def test_a_message_that_is_sent_again_stays_behind_one_to_the_customers_former_name(
    timed: Store, clock: Clock
) -> None:
    [again] = accept(timed, new_message(to=SOMEBODY))
    send(timed, Ambiguous("no answer in time"), limits=OURS)
    [waits] = accept(timed, new_message(to=SOMEBODY))
    send(timed, refused(2), limits=OURS)
    link(timed)

    timed.messages.send_again(stored(timed, again), DAY)

    assert leaves(timed) == 0
    clock.advance(MINUTE)
    assert (leaves(timed), stored(timed, waits).status, stored(timed, again).status) == (1, "accepted", "queued")


def test_a_pair_limit_in_a_status_lets_the_customer_rest(timed: Store, clock: Clock) -> None:
    [fast] = accept(timed, new_message(to=SOMEBODY))
    settle(timed, reserve(timed, OURS), accepted("wamid.1"))
    failed(timed, fast, 131056)
    accept(timed, new_message(to=SOMEBODY), new_message(to=OTHER))

    assert leaves(timed) == 1

    clock.advance(MINUTE)
    assert leaves(timed) == 1


def test_an_erased_customer_leaves_no_pause_of_marketing(timed: Store) -> None:
    preference(timed, "stop")
    cursor = None
    while (cursor := timed.retention.erase(SOMEBODY[1:], cursor).next) is not None:
        pass

    [sent] = accept(timed, template()._replace(endpoint="marketing_messages"))

    assert (leaves(timed), stored(timed, sent).status) == (1, "accepted")


def test_a_failure_that_is_reported_after_its_template_was_approved_again_pauses_nothing(
    timed: Store, clock: Clock
) -> None:
    one, other = accept(timed, template(), template(to=OTHER))
    settle(timed, reserve(timed, OURS), accepted(f"wamid.{one.row_id}"), accepted(f"wamid.{other.row_id}"))
    refused_at = timed.clock.now()
    clock.advance(HOUR)
    told(timed, "APPROVED")

    hear(timed, *failure(timed, one, 132015, refused_at))
    late = timed.sending.pauses()
    clock.advance(MINUTE)
    hear(timed, *failure(timed, other, 132015, timed.clock.now()))

    assert (late, len(timed.sending.pauses())) == ([], 1)


def test_a_template_that_fails_and_is_approved_in_one_transaction_goes_on(timed: Store, clock: Clock) -> None:
    [one] = accept(timed, template())
    settle(timed, reserve(timed, OURS), accepted(f"wamid.{one.row_id}"))
    told(timed, "PAUSED")
    refused_at = timed.clock.now()
    clock.advance(MINUTE)

    hear(timed, *failure(timed, one, 132015, refused_at), change(timed, "APPROVED"))

    assert timed.sending.pauses() == []


def test_a_refusal_of_marketing_that_is_reported_after_the_customer_wants_it_again_stops_nothing(
    timed: Store, clock: Clock
) -> None:
    [one] = accept(timed, template())
    settle(timed, reserve(timed, OURS), accepted(f"wamid.{one.row_id}"))
    refused_at = timed.clock.now()
    clock.advance(MINUTE)
    preference(timed, "resume")
    clock.advance(DAY)
    timed.message_retention.prune_scopes(now=clock.now, before=clock.now, after=0)
    hear(timed, *failure(timed, one, 131050, refused_at))

    [again] = accept(timed, template(lifetime=3 * DAY))

    assert (leaves(timed), stored(timed, again).status) == (1, "accepted")


def test_a_message_is_held_for_longer_the_longer_its_template_is_paused(timed: Store, clock: Clock) -> None:
    told(timed, "DISABLED")
    accept(timed, template())
    looked_at = []
    for _ in range(5):
        assert leaves(timed) == 0
        held_for = timed.jobs.next_due_in(QUEUE) or 0
        looked_at.append(round(held_for / 60))
        clock.advance(timedelta(seconds=held_for))

    assert looked_at == [10, 10, 20, 40, 60]


def test_a_message_is_held_until_the_pause_ends_and_another_templates_approval_does_not_wake_it(
    timed: Store, clock: Clock
) -> None:
    accept(timed, flow())
    send(timed, refused(132069), limits=OURS)
    accept(timed, flow(to=OTHER))
    assert leaves(timed) == 0

    told(timed, "APPROVED")

    assert round((timed.jobs.next_due_in(QUEUE) or 0) / 60) == 60


def due(store: Store) -> int:
    """How many messages may be claimed now."""
    now = store.clock.now()
    return store.database.read(
        lambda c: len(c.execute(select(jobs.c.id).where(jobs.c.queue == QUEUE, jobs.c.due_at <= now)).all())
    )


def hold_many(store: Store) -> list[Message]:
    """Hold more messages of a disabled template than one transaction wakes, and one of another one."""
    told(store, "DISABLED")
    hear(store, change(store, "DISABLED", "other"))
    held = accept(store, *(template(to=f"+49151{number:08}") for number in range(2 * WAKE_STEP + 50)))
    accept(store, template("other", to=OTHER))
    while due(store):
        assert leaves(store) == 0
    return held


def leave_in_time(store: Store, clock: Clock) -> list[int]:
    """Send until nothing is due, and return how many left each time."""
    left = []
    while due(store):
        left.append(leaves(store))
        clock.advance(timedelta(seconds=1))
    return left


@pytest.mark.parametrize("is_approved", [True, False], ids=["approval", "resume"])
def test_any_number_of_held_messages_goes_on_without_one_large_transaction(
    timed: Store, clock: Clock, is_approved: bool
) -> None:
    held = hold_many(timed)
    clock.advance(MINUTE)

    if is_approved:
        told(timed, "APPROVED")
    else:
        timed.sending.resume(f"template:{WABA}:sale.en")
    woken = due(timed)
    left = leave_in_time(timed, clock)

    assert (woken, sum(left), len(timed.sending.pauses())) == (WAKE_STEP, len(held), 1)
    assert waiting(timed) == 1


@pytest.mark.parametrize("is_approved", [True, False], ids=["approval", "resume"])
def test_a_message_whose_scope_goes_on_while_it_is_being_held_goes_on_too(timed: Store, is_approved: bool) -> None:
    told(timed, "DISABLED")
    accept(timed, template())
    being_held = reserve(timed, OURS)

    if is_approved:
        told(timed, "APPROVED")
    else:
        timed.sending.resume(f"template:{WABA}:sale.en")
    settle(timed, being_held)

    assert leaves(timed) == 1


def test_it_goes_on_also_if_it_is_settled_together_with_an_answer_whose_claim_was_lost(
    timed: Store, clock: Clock
) -> None:
    told(timed, "DISABLED")
    accept(timed, new_message(to=OTHER))
    late = reserve(timed, OURS)
    clock.advance(2 * LEASE)
    settle(timed, reserve(timed, OURS))
    accept(timed, template())
    being_held = reserve(timed, OURS)
    timed.sending.resume(f"template:{WABA}:sale.en")

    settle(timed, Reservations(late.reserved, being_held.ended), accepted())

    assert leaves(timed) == 1


def test_held_messages_go_on_also_if_all_that_were_woken_first_are_cancelled(timed: Store, clock: Clock) -> None:
    held = hold_many(timed)
    clock.advance(MINUTE)
    told(timed, "APPROVED")
    timed.sending.wake_released()
    woken = due(timed)
    for message in held[:WAKE_STEP]:
        timed.messages.cancel(message)

    after = timed.sending.wake_released()

    assert (woken, after, due(timed)) == (WAKE_STEP, "", WAKE_STEP)
    assert sum(leave_in_time(timed, clock)) == len(held) - WAKE_STEP
    assert waiting(timed) == 1


def test_scopes_that_nothing_has_woken_are_woken_some_at_a_time(timed: Store, clock: Clock) -> None:
    names = [f"sale{number:02}" for number in range(MAX_RELEASED + 1)]
    hear(timed, *(change(timed, "DISABLED", name) for name in names))
    accept(timed, *(template(name, to=f"+49151{number:08}") for number, name in enumerate(names)))
    assert leaves(timed) == 0
    timed.write(lambda c: c.execute(delete(send_scopes)))

    after = timed.sending.wake_released()
    woken = due(timed)

    assert (woken, after) == (MAX_RELEASED, f"template:{WABA}:{names[MAX_RELEASED - 1]}.en")
    assert (timed.sending.wake_released(after=after), due(timed)) == ("", MAX_RELEASED + 1)


def test_messages_that_wait_by_themselves_for_their_flow_go_on_with_it(timed: Store, clock: Clock) -> None:
    accept(timed, flow())
    send(timed, refused(132069), limits=OURS)

    timed.sending.resume(f"flow:{WABA}:1")

    assert leaves(timed) == 1


def test_a_scope_that_goes_on_wakes_no_message_of_another_one(timed: Store, clock: Clock) -> None:
    told(timed, "DISABLED")
    hear(timed, change(timed, "DISABLED", "other"))
    accept(timed, template(), template("other", to=OTHER))
    assert leaves(timed) == 0

    told(timed, "APPROVED")

    assert due(timed) == 1


@pytest.mark.parametrize("wamid", ["\ud800", "wamid.\0", ["wamid.A"], None])
def test_a_failure_whose_id_is_none_costs_no_event(timed: Store, wamid: object) -> None:
    told = {**status("wamid.A", "failed", errors=[{"code": 131050}]), "id": wamid}

    hear(timed, *webhook(statuses=[told]))

    assert timed.events.counts().total == 1
