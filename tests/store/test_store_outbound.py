"""Changes of messages become events where they are asked for: once each, in the order of commits, never else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.domain.decision import Decision, MessageSelection
from app.domain.delivery import NewDelivery
from app.domain.event import Event
from app.domain.event_filter import EventFilter
from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.outbound_event import asked_for, event_of_change
from app.domain.split import SplitEvent
from app.domain.subscription import Ours
from app.events.split import Splitter
from app.metrics import Metrics
from app.store import Store
from app.store.tables.message_schema import message_changes
from tests.support.envelopes import WABA
from tests.support.events import new_event
from tests.support.messages import NUMBER, accept, new_message, status, tracker_of, webhook
from tests.support.store import StoreMaker
from tests.support.work import AT_ONCE, CRM, LEASE, add_events, claim, claim_split

EVERY = asked_for(["outbound.*"])
OUTBOUND = EventFilter(types=["outbound.*"])
FAILED = {"code": 131026, "title": "Message undeliverable"}


@pytest.fixture
def recording(url: str, make_store: StoreMaker) -> Store:
    return make_store(url, recorded=EVERY)


def published(store: Store, *to: str) -> Sequence[Event]:
    """Make events of what has changed, with a delivery to each of these destinations, and return all of them."""
    job = claim_split(store)
    deliveries = tuple(NewDelivery(name, None) for name in to)
    changes = store.outbound.pending(100)
    store.outbound.publish(
        job,
        {row: SplitEvent(event_of_change(change), deliveries=deliveries) for row, change in changes.items()},
        LEASE,
    )
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])
    return store.events.after(0, OUTBOUND, limit=100)


def types(events: Sequence[Event]) -> list[str]:
    return [event.type.removeprefix("outbound.") for event in events]


def test_nothing_is_recorded_unless_somebody_asks(store: Store) -> None:
    [message] = accept(store, new_message())

    store.messages.cancel(message)

    assert (store.outbound.has_pending(), published(store)) == (False, [])


def test_a_cancelled_message_is_an_event_with_all_that_a_receiver_needs(recording: Store) -> None:
    [message] = accept(recording, new_message(tracker="order 7"))
    recording.messages.cancel(message)
    recording.messages.cancel(message)

    [event] = published(recording, "crm")

    assert (event.type, event.receipt_id, event.raw, event.foreign) == ("outbound.cancelled", None, None, False)
    assert (event.contact.wa_id, event.phone_number_id) == ("4915112345678", message.phone_number_id)
    assert event.data == {
        "messageId": message.id,
        "status": "cancelled",
        "type": "text",
        "to": "+4915112345678",
        "tracker": "order 7",
    }
    assert recording.outbound.has_pending() is False
    assert len(claim(recording, CRM)) == 1


def test_a_change_whose_event_the_database_refuses_holds_up_no_other(
    recording: Store, caplog: pytest.LogCaptureFixture
) -> None:
    refused, *others = accept(recording, *(new_message(to=f"+49151{number}") for number in range(3)))
    for message in (refused, *others):
        recording.messages.cancel(message)
    changes = recording.outbound.pending(9).values()
    [event_id] = [change.event_id for change in changes if change.data["messageId"] == refused.id]
    add_events(recording, SplitEvent(replace(new_event("taken"), id=event_id)))
    job = claim_split(recording)

    splitter = Splitter(recording, Metrics(), Ours(frozenset(), frozenset()), (), LEASE, has_outbound_events=True)
    splitter.split_pending(job)

    told = [event.data["messageId"] for event in recording.events.after(0, OUTBOUND, limit=9)]
    assert (told, recording.outbound.has_pending()) == ([other.id for other in others], False)
    [line] = [line for line in caplog.records if line.message.startswith("split.")]
    assert (line.message, line.__dict__["event_id"]) == ("split.change_refused", event_id)


def test_a_change_that_newer_code_has_recorded_waits_for_it_and_holds_up_no_other(
    recording: Store, caplog: pytest.LogCaptureFixture
) -> None:
    newer, *others = accept(recording, *(new_message(to=f"+49151{number}") for number in range(3)))
    for message in (newer, *others):
        recording.messages.cancel(message)
    is_newer = message_changes.c.message == newer.row_id
    recording.write(lambda c: c.execute(update(message_changes).where(is_newer).values(status="pondering")))

    splitter = Splitter(recording, Metrics(), Ours(frozenset(), frozenset()), (), LEASE, has_outbound_events=True)
    splitter.split_pending(claim_split(recording))

    told = [event.data["messageId"] for event in recording.events.after(0, OUTBOUND, limit=9)]
    assert (told, recording.outbound.has_pending()) == ([other.id for other in others], False)
    assert recording.outbound.unreadable() == {"pondering": 1}
    [line] = [line for line in caplog.records if line.message.startswith("split.")]
    assert (line.message, line.__dict__["events"]) == ("split.changes_parked", 1)


@pytest.mark.parametrize("waba_ids", [{WABA, "2"}, {"2", "3"}])
def test_an_event_names_the_account_that_a_webhook_has_named_if_it_is_ours(
    recording: Store, waba_ids: set[str]
) -> None:
    add_events(recording, *webhook(statuses=[status("wamid.A")]))
    known, unknown = accept(recording, new_message(), new_message(number="9876543299"))
    for message in (known, unknown):
        recording.messages.cancel(message)
    ours = Ours(frozenset(waba_ids), frozenset({NUMBER, "9876543299"}))

    splitter = Splitter(recording, Metrics(), ours, (), LEASE, has_outbound_events=True)
    splitter.split_pending(claim_split(recording))

    events = recording.events.after(0, OUTBOUND, limit=9)
    told = {event.data["messageId"]: (event.waba_id, event.foreign) for event in events}
    assert told == {known.id: (WABA if WABA in waba_ids else None, False), unknown.id: (None, False)}


def test_a_failure_that_a_status_tells_has_class_and_hint(recording: Store) -> None:
    [failing, read] = accept(recording, new_message(), new_message(to="+4915199"))
    for message, words in ((failing, ("failed",)), (read, ("read", "failed"))):
        for word in words:
            told = status(f"wamid.{message.row_id}", word, tracker=tracker_of(recording, message), errors=[FAILED])
            add_events(recording, *webhook(statuses=[told]))

    [event] = published(recording)

    assert (event.data["messageId"], event.data["wamid"]) == (failing.id, f"wamid.{failing.row_id}")
    assert (event.data["error"]["code"], event.data["error"]["class"]) == (131026, "recipient")
    assert "no WhatsApp" in event.data["error"]["hint"]


def test_an_event_that_is_asked_for_by_name_only_is_in_no_other_list(recording: Store) -> None:
    [message] = accept(recording, new_message())
    recording.messages.cancel(message)
    published(recording)

    unasked = ([], ["*"], ["*.cancelled"])
    for chosen in (*(EventFilter(types=types) for types in unasked), EventFilter(contact="4915112345678")):
        assert recording.events.after(0, chosen, limit=9) == []
    assert len(recording.events.after(0, EventFilter(types=["*", "outbound.c*"]), limit=9)) == 1


def test_an_erased_message_leaves_no_change(recording: Store) -> None:
    [message] = accept(recording, new_message())
    recording.messages.cancel(message)
    changes = recording.outbound.pending(9)
    recording.message_retention.prune_messages(before=message.updated_at.replace(year=2100), after=0)

    job = claim_split(recording)
    events = {row: SplitEvent(event_of_change(change)) for row, change in changes.items()}

    assert (len(events), recording.outbound.publish(job, events, LEASE)) == (1, 0)


def test_each_decision_about_many_is_one_event_for_each(recording: Store) -> None:
    accept(recording, *(new_message(to=f"+491511{number}000") for number in range(3)))
    for decision in (Decision.UNKNOWN, Decision.RESEND, Decision.CANCELLED):
        recording.messages.decide_some(MessageSelection(), decision, after=0, limit=9, is_trial=False, lifetime=LEASE)

    events = published(recording)

    assert types(events) == ["unknown"] * 3 + ["cancelled"] * 3
    assert len({event.id for event in events}) == 6
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
    assert events[-1].data["resends"] == 1
