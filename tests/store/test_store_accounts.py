"""Where a profile lists several accounts, webhooks tell which number belongs to which."""

from dataclasses import replace
from datetime import timedelta

from app.domain.event import NewEvent
from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.message import queue_of_number
from app.domain.split import SplitEvent, SplitReceipt
from app.store import Store
from tests.store.test_store_content_scopes import OTHER, template
from tests.support.envelopes import WABA
from tests.support.events import new_event
from tests.support.messages import NUMBER, accept, new_message, webhook
from tests.support.sends import LIMITS, accepted, refused, reserve, send, settle, stored
from tests.support.work import AT_ONCE, LEASE, Clock, claim_split, receive

SEVERAL = replace(LIMITS, waba_id=None)
SECOND, OTHER_ACCOUNT, STRANGER = "206540352242922", "202290129340398", "306540352242922"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WROTE = {"id": "wamid.in", "from": "4915100000", "timestamp": "1764000000", "type": "text", "text": {"body": "hi"}}


def hear(store: Store, *events: NewEvent) -> None:
    """Add events, as the splitter of a profile with several accounts does."""
    [receipt] = receive(store)
    job = claim_split(store)
    store.events.add(job, [SplitReceipt(receipt, [SplitEvent(event) for event in events])], LEASE, None)
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])


def learn(store: Store) -> None:
    """Hear of a number of each of two accounts."""
    for number, account in ((NUMBER, WABA), (SECOND, OTHER_ACCOUNT)):
        [wrote] = webhook(number=number, messages=[WROTE])
        hear(store, replace(wrote.event, waba_id=account))


def about(store: Store, kind: str, raw: object, account: str = WABA) -> NewEvent:
    event = new_event(f"{kind} {account} {store.clock.now()}", kind=kind, raw=raw, wa_id=None)
    return replace(event, waba_id=account, phone_number_id=None, occurred_at=store.clock.now())


def approved(store: Store, account: str = WABA) -> NewEvent:
    raw = {"event": "APPROVED", "message_template_name": "sale", "message_template_language": "en"}
    return about(store, "template.status", raw, account)


def banned(store: Store, state: str) -> NewEvent:
    return about(store, "account.update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}})


def leaves(store: Store, number: str = NUMBER) -> int:
    reservations = reserve(store, SEVERAL, queue=queue_of_number(number))
    settle(store, reservations, accepted(f"wamid.{store.clock.now()}"))
    return len(reservations.reserved)


def paused(store: Store) -> list[str]:
    return [pause.name for pause in store.sending.pauses()]


def test_a_template_goes_on_when_it_is_approved_in_the_account_of_its_number(timed: Store, clock: Clock) -> None:
    learn(timed)
    accept(timed, template())
    send(timed, refused(132015), limits=SEVERAL)
    [held] = accept(timed, template(to=OTHER))
    assert leaves(timed) == 0
    clock.advance(MINUTE)

    hear(timed, approved(timed, OTHER_ACCOUNT))

    assert (leaves(timed), paused(timed)) == (0, [f"template:{WABA}:sale.en"])
    hear(timed, approved(timed))
    assert (leaves(timed), paused(timed), stored(timed, held).status) == (1, [], "accepted")


def test_a_template_goes_on_also_if_its_number_was_never_heard_of(timed: Store, clock: Clock) -> None:
    accept(timed, template())
    send(timed, refused(132015), limits=SEVERAL)
    [held] = accept(timed, template(to=OTHER))
    assert (leaves(timed), paused(timed)) == (0, [f"template:{NUMBER}:sale.en"])
    clock.advance(MINUTE)

    hear(timed, approved(timed))

    assert (leaves(timed), paused(timed), stored(timed, held).status) == (1, [], "accepted")


def test_a_ban_holds_back_the_numbers_of_its_account_and_no_others(timed: Store, clock: Clock) -> None:
    learn(timed)
    numbers = (NUMBER, SECOND, STRANGER)
    waiting = accept(timed, *(new_message(number=number) for number in numbers))

    hear(timed, banned(timed, "DISABLE"))

    holds = timed.messages.holds(waiting, None, None)
    assert {message_id: hold.scope for message_id, hold in holds.items()} == {waiting[0].id: f"waba:{WABA}"}
    assert paused(timed) == [f"waba:{WABA}"]
    assert [leaves(timed, number) for number in numbers] == [0, 1, 1]
    clock.advance(HOUR)
    hear(timed, banned(timed, "REINSTATE"))
    assert (leaves(timed), paused(timed)) == (1, [])


def test_a_restriction_holds_back_the_numbers_of_its_account(timed: Store) -> None:
    learn(timed)
    restriction = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}
    accept(timed, *(template()._replace(window_exempt=True, phone_number_id=number) for number in (NUMBER, SECOND)))

    hear(timed, about(timed, "account.update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [restriction]}))

    assert [leaves(timed, number) for number in (NUMBER, SECOND)] == [0, 1]


def test_a_failure_that_concerns_the_account_pauses_that_of_the_webhook(timed: Store) -> None:
    learn(timed)
    [sent] = accept(timed, new_message())
    send(timed, accepted("wamid.A"), limits=SEVERAL)
    told = {"id": "wamid.A", "status": "failed", "timestamp": "1764000000", "errors": [{"code": 131042}]}

    hear(timed, *(each.event for each in webhook(statuses=[{**told, "recipient_id": "4915112345678"}])))

    assert (stored(timed, sent).status, paused(timed)) == ("failed", [f"waba:{WABA}"])


def test_a_number_that_moves_to_another_account_follows_it(timed: Store) -> None:
    learn(timed)
    [wrote] = webhook(messages=[{**WROTE, "id": "wamid.later"}])
    hear(timed, replace(wrote.event, waba_id=OTHER_ACCOUNT))
    accept(timed, new_message())

    hear(timed, banned(timed, "DISABLE"))

    assert leaves(timed) == 1
