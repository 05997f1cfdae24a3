"""Deliveries are read, listed and replayed: the same facts on SQLite and on PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from app.domain.delivery import KEPT_ATTEMPTS, DeliveryState, NewDelivery
from app.domain.event import Event
from app.domain.job import Done, Retry
from app.domain.job_result import JobResult
from app.domain.replay import ReplayStep, Selection
from app.store import Store
from app.store.deliveries import DeliveriesOf
from app.store.tables.delivery_list import DeliveryCounts
from app.store.tables.schema import deliveries, events
from tests.support.events import event_id
from tests.support.store import NOON
from tests.support.work import (
    AT_ONCE,
    CRM,
    LEASE,
    Clock,
    add_events,
    answered,
    claim,
    dead,
    done,
    retry,
    split_event,
    subjects,
)

WAITING, IN_FLIGHT, DELIVERED, DEAD, SKIPPED, _ = DeliveryState
USUAL = Selection()
UNKNOWN_IDS = ["dlv_2", "dlv_", "", "dlv_0", "dlv_01", f"dlv_{2**63}", "evt_1"]


def add_one_of_each_state(store: Store) -> None:
    """Add events named by the states of their deliveries to crm, numbered 1 to 7; `behind` waits for `late`."""
    add_events(store, *map(split_event, ("waiting", "in flight", "delivered", "dead", "skipped")))
    add_events(store, *(split_event(name, order_key=1) for name in ("late", "behind")))
    jobs = {job.subject: job for job in claim(store)}
    store.jobs.hand_back([jobs[1]])
    store.jobs.settle([done(jobs[3]), dead(jobs[4]), dead(jobs[5]), retry(jobs[6], timedelta(hours=1))])
    skipped = update(deliveries).where(deliveries.c.id == 5).values(state="skipped")
    store.write(lambda c: c.execute(skipped))


def state(store: Store, delivery_id: str) -> DeliveryState:
    delivery = store.deliveries.get(delivery_id)
    assert delivery is not None
    return delivery.state


def numbers(store: Store, **chosen: Any) -> list[int]:
    """Return the numbers of a page of deliveries."""
    page = store.deliveries.page(**{"limit": 100, **chosen})
    return [int(one.id.removeprefix("dlv_")) for one in page]


def still_foreign(_event: Event) -> None:
    """Say that the config does not list the event's number."""


def replay_all(
    store: Store, selection: Selection = USUAL, *, limit: int = 100, deliveries_of: DeliveriesOf = still_foreign
) -> int:
    """Replay step by step to the end, and return how many deliveries."""
    replayed, after = 0, 0
    while True:
        step = store.deliveries.replay_some(selection, after=after, limit=limit, deliveries_of=deliveries_of)
        replayed += step.replayed
        if step.next is None:
            return replayed
        after = step.next


def test_deliveries_are_listed_by_the_time_of_their_event(store: Store) -> None:
    add_one_of_each_state(store)
    for event in range(1, 8):  # the receipt of the fifth was reprocessed: it came first
        minute = 0 if event == 5 else event
        at = {"received_at": NOON + timedelta(minutes=minute)}
        store.write(lambda c, event=event, at=at: c.execute(update(events).where(events.c.id == event).values(at)))
    late, early = {"since": NOON + timedelta(minutes=4)}, {"until": NOON + timedelta(minutes=4)}

    assert numbers(store, **late) == [7, 6, 4]
    assert numbers(store, **early) == [5, 3, 2, 1]
    assert numbers(store, since=NOON + timedelta(minutes=6), until=NOON + timedelta(minutes=9)) == [7, 6]
    assert numbers(store, since=NOON + timedelta(minutes=10)) == []
    assert [numbers(store, state=one, **late) for one in (WAITING, IN_FLIGHT, DELIVERED, DEAD, SKIPPED)] == [
        [7, 6],
        [],
        [],
        [4],
        [],
    ]
    assert [numbers(store, state=one, **early) for one in (WAITING, IN_FLIGHT, SKIPPED)] == [[1], [2], [5]]
    assert numbers(store, event=event_id("late"), **late) == [6]
    assert numbers(store, event=event_id("late"), **early) == []
    assert numbers(store, destination="crm", **late, before="dlv_6") == [4]


def test_claimed_jobs_are_loaded_with_their_deliveries_and_events(store: Store) -> None:
    add_events(store, split_event("a", to=("crm", "bot")), split_event("b"))
    jobs = [*claim(store), *claim(store, "deliver:bot")]

    loaded = store.deliveries.load(jobs)

    summary = [(loaded[job.id][0].id, loaded[job.id][0].destination, loaded[job.id][1].data["text"]) for job in jobs]
    assert summary == [("dlv_1", "crm", "a"), ("dlv_3", "crm", "b"), ("dlv_2", "bot", "a")]
    assert loaded[jobs[0].id][0].state is IN_FLIGHT
    assert loaded[jobs[0].id][1] == store.events.get(event_id("a"))


def test_a_delivery_that_was_deleted_meanwhile_is_not_loaded(store: Store) -> None:
    add_events(store, *map(split_event, "ab"))
    deleted, here = claim(store)

    store.write(lambda c: (c.execute(delete(deliveries).where(deliveries.c.id == 1)), None)[1])

    assert list(store.deliveries.load([deleted, here])) == [here.id]
    assert store.deliveries.load([]) == {}
    assert store.jobs.settle([done(deleted)]) == [True]


def test_a_delivery_shows_its_state_and_its_next_attempt(timed: Store) -> None:
    add_one_of_each_state(timed)

    shown = [timed.deliveries.get(f"dlv_{number}") for number in range(1, 8)]

    assert [one and (one.state, one.next_attempt_at) for one in shown] == [
        (WAITING, NOON),
        (IN_FLIGHT, None),
        (DELIVERED, None),
        (DEAD, None),
        (SKIPPED, None),
        (WAITING, NOON + timedelta(hours=1)),
        (WAITING, None),
    ]


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_id_names_no_delivery(store: Store, unknown: str) -> None:
    add_events(store, split_event("a"))

    assert store.deliveries.get(unknown) is None
    assert store.deliveries.replay(unknown) is None


def test_a_delivery_in_flight_waits_again_when_its_worker_has_died(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    claim(timed)
    assert state(timed, "dlv_1") is IN_FLIGHT

    clock.advance(LEASE)

    assert state(timed, "dlv_1") is WAITING
    assert numbers(timed, state=WAITING) == [1]
    assert numbers(timed, state=IN_FLIGHT) == []


def test_the_last_attempts_are_kept(store: Store) -> None:
    add_events(store, split_event("a"))
    for number in range(KEPT_ATTEMPTS + 3):
        [job] = claim(store)
        store.jobs.settle([JobResult(job, Retry(AT_ONCE), answered(500 + number))])

    delivery = store.deliveries.get("dlv_1")
    assert delivery is not None
    assert [attempt.status for attempt in delivery.attempts] == list(range(503, 503 + KEPT_ATTEMPTS))


def test_an_attempt_is_kept_as_it_was_made(store: Store) -> None:
    attempt = answered(None, error="no \ud800 connection", at=NOON + timedelta(microseconds=7))
    add_events(store, split_event("a"))
    [job] = claim(store)

    store.jobs.settle([JobResult(job, Done(), attempt)])

    delivery = store.deliveries.get("dlv_1")
    assert delivery is not None
    assert delivery.attempts == (attempt,)


@pytest.mark.parametrize(
    ("chosen", "listed"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"state": WAITING}, [7, 6, 1]),
        ({"state": IN_FLIGHT}, [2]),
        ({"state": DELIVERED}, [3]),
        ({"state": DEAD}, [4]),
        ({"state": SKIPPED}, [5]),
        ({"limit": 2}, [7, 6]),
        ({"before": "dlv_6", "limit": 2}, [5, 4]),
        ({"before": "dlv_1"}, []),
        ({"before": "nonsense"}, []),
        ({"state": WAITING, "before": "dlv_7", "limit": 1}, [6]),
        ({"state": DEAD, "before": "dlv_4"}, []),
        ({"event": event_id("dead")}, [4]),
        ({"event": event_id("dead"), "state": DEAD}, [4]),
        ({"event": event_id("dead"), "state": WAITING}, []),
        ({"event": event_id("dead"), "destination": "bot"}, []),
        ({"event": event_id("dead"), "before": "dlv_4"}, []),
        ({"event": event_id("nobody's")}, []),
        ({"event": "nonsense"}, []),
        ({"destination": "bot"}, []),
    ],
)
@pytest.mark.parametrize("everywhere", [True, False])
def test_deliveries_are_listed_newest_first(
    store: Store, chosen: dict[str, Any], listed: list[int], everywhere: bool
) -> None:
    add_one_of_each_state(store)

    assert numbers(store, **(chosen if everywhere else {"destination": "crm", **chosen})) == listed


@pytest.mark.parametrize("in_state", [None, WAITING, DEAD])
def test_a_list_over_all_destinations_is_in_one_order(store: Store, in_state: DeliveryState | None) -> None:
    add_events(store, *(split_event(name, to=("crm", "bot", "log")) for name in "abcd"))
    if in_state is DEAD:
        for queue in (CRM, "deliver:bot", "deliver:log"):
            store.jobs.settle([dead(job) for job in claim(store, queue)])

    assert numbers(store, state=in_state, limit=5) == [12, 11, 10, 9, 8]
    assert numbers(store, state=in_state, limit=5, before="dlv_8") == [7, 6, 5, 4, 3]
    assert numbers(store, state=in_state, destination="bot") == [11, 8, 5, 2]


def test_each_destination_counts_what_waits_and_what_is_dead(store: Store) -> None:
    add_one_of_each_state(store)
    add_events(store, *(split_event(name, to=("bot",)) for name in "xyz"))

    assert store.deliveries.counts() == {"bot": DeliveryCounts(3, 0, NOON), "crm": DeliveryCounts(3, 1, NOON)}


def test_a_destination_with_nothing_but_dead_letters_is_counted(store: Store) -> None:
    add_events(store, split_event("a"))
    store.jobs.settle([dead(job) for job in claim(store)])

    assert store.deliveries.counts() == {"crm": DeliveryCounts(0, 1)}


@pytest.mark.parametrize("delivery_id", ["dlv_3", "dlv_4", "dlv_5"])
def test_a_delivery_that_has_ended_is_replayed_by_a_new_job(timed: Store, delivery_id: str) -> None:
    add_one_of_each_state(timed)
    before = timed.deliveries.get(delivery_id)

    replayed = timed.deliveries.replay(delivery_id)

    assert before is not None
    assert replayed is not None
    assert (replayed.state, replayed.next_attempt_at, replayed.attempts) == (WAITING, NOON, before.attempts)
    [job] = [job for job in claim(timed, max_in_flight=100) if f"dlv_{job.subject}" == delivery_id]
    assert job.attempts == 0
    assert timed.jobs.settle([done(job)]) == [True]
    assert state(timed, delivery_id) is DELIVERED


def test_a_delivery_that_waits_for_a_retry_is_due_at_once(timed: Store) -> None:
    add_one_of_each_state(timed)

    replayed = timed.deliveries.replay("dlv_6")

    assert replayed is not None
    assert replayed.next_attempt_at == NOON
    assert [job.attempts for job in claim(timed, max_in_flight=100) if job.subject == 6] == [1]


@pytest.mark.parametrize("delivery_id", ["dlv_1", "dlv_2", "dlv_7"])
def test_a_delivery_that_is_due_in_flight_or_behind_another_stays_as_it_is(timed: Store, delivery_id: str) -> None:
    add_one_of_each_state(timed)
    before, depths = timed.deliveries.get(delivery_id), timed.jobs.depths()

    assert timed.deliveries.replay(delivery_id) == before
    assert timed.jobs.depths() == depths


def test_a_second_replay_changes_nothing(timed: Store, clock: Clock) -> None:
    add_one_of_each_state(timed)
    first = timed.deliveries.replay("dlv_4")
    clock.advance(timedelta(seconds=1))

    assert timed.deliveries.replay("dlv_4") == first


def test_a_replay_of_many_takes_what_is_dead_or_skipped(store: Store) -> None:
    add_one_of_each_state(store)

    assert replay_all(store) == 2

    assert numbers(store, state=WAITING) == [7, 6, 5, 4, 1]
    assert replay_all(store) == 0


@pytest.mark.parametrize(
    ("in_state", "replayed", "waiting"),
    [
        (DEAD, 1, [7, 6, 4, 1]),
        (SKIPPED, 1, [7, 6, 5, 1]),
        (DELIVERED, 1, [7, 6, 3, 1]),
        (WAITING, 1, [7, 6, 1]),
        (IN_FLIGHT, 0, [7, 6, 1]),
    ],
)
def test_a_replay_of_a_state_takes_only_deliveries_in_it(
    timed: Store, in_state: DeliveryState, replayed: int, waiting: list[int]
) -> None:
    add_one_of_each_state(timed)
    selection = Selection(state=in_state)
    counted = timed.deliveries.count_to_replay(selection, after=0, limit=100, deliveries_of=lambda _: None)

    assert (replay_all(timed, selection), counted.replayed) == (replayed, replayed)

    assert numbers(timed, state=WAITING) == waiting
    assert state(timed, "dlv_2") is IN_FLIGHT


@pytest.mark.parametrize(
    ("selection", "replayed"),
    [
        (Selection(), [4, 3, 2, 1]),
        (Selection(destination="bot"), [4, 2]),
        (Selection(destination="nobody"), []),
        (Selection(types=["message.*"]), [2, 1]),
        (Selection(types=["call.*", "message.t?xt"]), [4, 3, 2, 1]),
        (Selection(types=["nothing"]), []),
        (Selection(since=NOON), [4, 3, 2, 1]),
        (Selection(since=NOON + timedelta(minutes=1)), [4, 3]),
        (Selection(until=NOON + timedelta(minutes=1)), [2, 1]),
        (Selection(until=NOON), []),
        (Selection(destination="crm", state=DEAD, types=["call.*"], since=NOON), [3]),
    ],
)
def test_a_replay_of_many_takes_what_is_selected(store: Store, selection: Selection, replayed: list[int]) -> None:
    add_events(store, split_event("a", to=("crm", "bot")), split_event("b", to=("crm", "bot"), kind="call.connect"))
    later = update(events).where(events.c.id == 2).values(received_at=NOON + timedelta(minutes=1))
    store.write(lambda c: (c.execute(later), None)[1])
    for queue in (CRM, "deliver:bot"):
        store.jobs.settle([dead(job) for job in claim(store, queue)])

    assert replay_all(store, selection) == len(replayed)

    assert numbers(store, state=WAITING) == replayed


def test_a_replay_continues_where_the_last_step_ended(store: Store) -> None:
    add_events(store, *(split_event(number) for number in range(7)))
    store.jobs.settle([dead(job) for job in claim(store) if job.subject != 4])
    steps: list[ReplayStep] = []

    after: int | None = 0
    while after is not None:
        step = store.deliveries.replay_some(Selection(), after=after, limit=2, deliveries_of=still_foreign)
        steps.append(step)
        after = step.next

    assert steps == [ReplayStep(2, 2, 2), ReplayStep(2, 2, 5), ReplayStep(2, 2, 7), ReplayStep(0, 0, None)]


def test_a_replay_of_a_thousand_keeps_their_order(store: Store) -> None:
    add_events(store, *(split_event(number, to=("crm", "bot"), order_key=number % 100) for number in range(1000)))
    for queue in (CRM, "deliver:bot"):
        while jobs := claim(store, queue, max_in_flight=1000, limit=1000):
            store.jobs.settle([dead(job) for job in jobs])

    assert replay_all(store, limit=1000) == 2000

    for queue, first in ((CRM, 1), ("deliver:bot", 2)):
        assert subjects(claim(store, queue, max_in_flight=1000, limit=1000)) == list(range(first, 201, 2))


def test_a_replay_delivers_events_whose_number_is_no_longer_foreign(store: Store) -> None:
    add_events(store, split_event("theirs", foreign=True), split_event("ours", foreign=True), split_event("known"))

    def deliveries_of(event: Event) -> tuple[NewDelivery, ...] | None:
        return (NewDelivery("crm"), NewDelivery("bot", 7)) if event.data["text"] == "ours" else None

    assert replay_all(store, deliveries_of=deliveries_of) == 2

    assert [event.foreign for event in store.events.after(0, limit=10)] == [True, False, False]
    page = store.deliveries.page(event=event_id("ours"), limit=10)
    assert [(one.destination, one.state) for one in page] == [("bot", WAITING), ("crm", WAITING)]
    assert replay_all(store, deliveries_of=deliveries_of) == 0
    assert subjects(claim(store)) == [1, 2]


def to_both(_event: Event) -> tuple[NewDelivery, ...]:
    return (NewDelivery("crm"), NewDelivery("bot", 7))


def test_a_replay_adds_the_deliveries_that_a_destination_never_had(store: Store) -> None:
    add_events(
        store, split_event("old", to=("crm",)), split_event("theirs", foreign=True), split_event("new", to=("bot",))
    )
    missing = Selection(destination="bot", includes_missing=True, until=NOON + timedelta(minutes=1))

    counted = store.deliveries.count_to_replay(missing, after=0, limit=10, deliveries_of=to_both).replayed
    replayed = replay_all(store, missing, deliveries_of=lambda event: None if event.foreign else to_both(event))

    assert (counted, replayed) == (3, 1)  # what was foreign gets those to both
    assert {one.event_id for one in store.deliveries.page(destination="bot", limit=10)} == {
        event_id("old"),
        event_id("new"),
    }
    assert len(claim(store, "deliver:bot")) == 2


def test_a_delivery_that_another_process_has_added_meanwhile_is_not_added_again(store: Store) -> None:
    add_events(store, split_event("old", to=("crm",)))
    missing = Selection(destination="bot", includes_missing=True)

    def replay_meanwhile(event: Event) -> tuple[NewDelivery, ...]:
        assert replay_all(store, missing, deliveries_of=to_both) == 1
        return to_both(event)

    assert replay_all(store, missing, deliveries_of=replay_meanwhile) == 0


def test_a_replay_adds_nothing_to_an_event_that_was_deleted_meanwhile(store: Store) -> None:
    add_events(store, split_event("old", to=()))
    missing = Selection(destination="bot", includes_missing=True)

    def prune_meanwhile(event: Event) -> tuple[NewDelivery, ...]:
        store.retention.prune_events(before=NOON + timedelta(days=1), after=0, destinations=[])
        return to_both(event)

    assert replay_all(store, missing, deliveries_of=prune_meanwhile) == 0

    assert numbers(store) == []


def test_an_event_without_deliveries_is_no_longer_foreign_either(store: Store) -> None:
    add_events(store, split_event("ours", foreign=True))

    assert replay_all(store, deliveries_of=lambda _: ()) == 0

    assert store.events.counts().foreign == 0


@pytest.mark.parametrize(
    "selection",
    [Selection(state=DEAD), Selection(state=DELIVERED), Selection(types=["call.*"]), Selection(since=NOON + LEASE)],
)
def test_foreign_events_that_are_not_selected_stay_foreign(store: Store, selection: Selection) -> None:
    add_events(store, split_event("ours", foreign=True))

    assert replay_all(store, selection, deliveries_of=lambda _: (NewDelivery("crm"),)) == 0

    assert store.events.counts().foreign == 1


def test_a_delivery_that_was_replayed_meanwhile_is_not_replayed_again(store: Store) -> None:
    """Another process replays and delivers between the read of a step and its transaction."""
    add_events(store, split_event("a"), split_event("ours", foreign=True))
    store.jobs.settle([dead(job) for job in claim(store)])

    def deliver_meanwhile(_event: Event) -> None:
        store.deliveries.replay("dlv_1")
        store.jobs.settle([done(job) for job in claim(store)])

    assert replay_all(store, deliveries_of=deliver_meanwhile) == 0

    assert state(store, "dlv_1") is DELIVERED


def test_an_event_that_is_no_longer_foreign_meanwhile_is_not_delivered_again(store: Store) -> None:
    add_events(store, split_event("ours", foreign=True))
    to_crm = (NewDelivery("crm"),)

    def replay_meanwhile(_event: Event) -> tuple[NewDelivery, ...]:
        assert replay_all(store, deliveries_of=lambda _: to_crm) == 1
        return to_crm

    assert replay_all(store, deliveries_of=replay_meanwhile) == 0

    assert numbers(store) == [1]
