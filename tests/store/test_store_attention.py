"""The current alerts, and the webhooks that were refused, on both databases."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from app.domain.alert import Alert
from app.domain.event import Contact
from app.domain.event_filter import EventFilter
from app.domain.message import MessageStatus
from app.domain.meta.status_update import StatusUpdate
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.timestamps import iso
from app.store import Store
from app.store.tables.message_alerts import MAX_FAILURES
from app.store.tables.message_schema import messages
from tests.support.messages import NUMBER, accept, mark_sending, new_message, status, tracker_of, webhook
from tests.support.sends import queued, refused, send
from tests.support.store import NOON
from tests.support.work import Clock, add_events, claim

CRM, BOT = Alert("failing", "crm", "HTTP 500\0", "mend it"), Alert("failing", "bot", "timed out", "mend it", NOON)
MINUTE = timedelta(minutes=1)
OPERATOR = EventFilter(types=("operator.*",))


def test_an_alert_keeps_its_beginning_and_gets_the_cause_that_it_has_now(timed: Store) -> None:
    timed.attention.record([CRM])

    timed.attention.reword([replace(CRM, cause="HTTP 401"), replace(BOT, cause="HTTP 500")])

    [recorded] = timed.attention.recorded().values()
    assert (recorded.cause, recorded.since) == ("HTTP 401", NOON)


def test_an_alert_is_recorded_once_with_the_time_at_which_it_began(timed: Store, clock: Clock) -> None:
    first = timed.attention.record([CRM])
    clock.advance(MINUTE)
    second = timed.attention.record([CRM, BOT])
    clock.advance(MINUTE)
    third = timed.attention.record([BOT])

    assert [(one.subject, one.since) for one in first.opened] == [("crm", NOON)]
    assert ([one.subject for one in second.opened], second.closed) == (["bot"], [])
    assert [(one.subject, one.since, one.cause) for one in third.closed] == [("crm", NOON, "HTTP 500?")]
    assert [one.since for one in timed.attention.recorded().values()] == [NOON]


def test_refusals_of_several_processes_add_up(store: Store) -> None:
    store.attention.add_refused([RefusedWebhooks("missing_signature", 2, NOON, NOON)])
    store.attention.add_refused([RefusedWebhooks("missing_signature", 3, NOON + MINUTE, NOON + 2 * MINUTE)])

    assert store.attention.refused() == [RefusedWebhooks("missing_signature", 5, NOON, NOON + 2 * MINUTE)]


def test_what_was_refused_meanwhile_is_not_forgotten(store: Store) -> None:
    seen = RefusedWebhooks("missing_signature", 2, NOON, NOON)
    store.attention.add_refused([seen, RefusedWebhooks("body_too_large", 1, NOON, NOON)])
    store.attention.add_refused([RefusedWebhooks("missing_signature", 1, NOON, NOON + MINUTE)])

    store.attention.forget_refused(store.attention.refused()[:1])
    store.attention.forget_refused([seen])

    assert [one.reason for one in store.attention.refused()] == ["missing_signature"]


def test_a_change_of_an_alert_is_one_event_for_each_destination_that_asks(timed: Store, clock: Clock) -> None:
    timed.attention.record([CRM], destinations=["ops", "pager"])
    timed.attention.record([CRM], destinations=["ops", "pager"])
    clock.advance(MINUTE)
    timed.attention.record([], destinations=["ops"])

    opened, closed = timed.events.after(0, OPERATOR, limit=9)
    pushed = [(one.event_id, one.destination) for one in reversed(timed.deliveries.page(limit=9))]
    assert [(one.type, one.data["code"], one.data["subject"]) for one in (opened, closed)] == [
        ("operator.alert.opened", "failing", "crm"),
        ("operator.alert.closed", "failing", "crm"),
    ]
    assert (opened.occurred_at, closed.occurred_at, closed.data["since"]) == (
        NOON,
        NOON + MINUTE,
        iso(NOON),
    )
    assert pushed == [(opened.id, "ops"), (opened.id, "pager"), (closed.id, "ops")]
    assert [job.subject for job in claim(timed, "deliver:ops")] == [1, 3]


def test_an_alert_that_comes_again_with_the_same_beginning_is_logged_again(timed: Store, clock: Clock) -> None:
    for current in ([BOT], [], [BOT], []):
        timed.attention.record(current, destinations=["ops"])
        clock.advance(MINUTE)

    told = timed.events.after(0, OPERATOR, limit=9)
    assert [one.type.rpartition(".")[2] for one in told] == ["opened", "closed", "opened", "closed"]
    assert {one.data["since"] for one in told} == {iso(NOON)}


def test_without_a_destination_that_asks_there_is_no_event(store: Store) -> None:
    store.attention.record([CRM])

    assert store.events.after(0, OPERATOR, limit=9) == []


def fail(store: Store, code: int, *recipients: str) -> None:
    """Let a message to each of these fail with this error."""
    accept(store, *(new_message(to=to) for to in recipients))
    send(store, refused(code))


def test_failures_are_counted_by_error_and_by_the_country_that_it_is_about(timed: Store, clock: Clock) -> None:
    fail(timed, 130497, "+919876543210")
    clock.advance(MINUTE)
    fail(timed, 130497, "+5531988880001", "+919876543211")
    fail(timed, 131026, "+4915112345678")
    fail(timed, 131215, "+4915112345679")

    found = timed.attention.signs().failures

    assert [(sign.subject, sign.count, sign.since) for sign in found] == [
        ("130497:+55", 1, NOON + MINUTE),
        ("130497:+91", 2, NOON),
        ("131215", 1, NOON + MINUTE),
    ]
    assert [sign.error["code"] for sign in found] == [130497, 130497, 131215]


def test_failures_of_the_last_day_count_and_are_not_all_read(timed: Store) -> None:
    fail(timed, 131215, "+4915112345679")
    queued(timed, MAX_FAILURES + 1)
    failed = update(messages).where(messages.c.status == "queued").values(status="failed", alert="134011")
    timed.write(lambda c: c.execute(failed))
    yesterday = {"updated_at": NOON - timedelta(days=1, seconds=1)}
    timed.write(lambda c: c.execute(update(messages).where(messages.c.alert == "131215").values(yesterday)))

    [sign] = timed.attention.signs().failures

    assert (sign.subject, sign.count, sign.has_more) == ("134011", MAX_FAILURES, True)


def test_the_alert_of_a_failed_message_is_that_of_the_error_that_it_shows(store: Store) -> None:
    [message] = queued(store)
    mark_sending(store, message)
    told = status("wamid.A", "failed", tracker=tracker_of(store, message), errors=[{"code": 131215}])
    add_events(store, *webhook(statuses=[told]))

    raised = []
    for code in (134011, 131026):
        raised += [sign.subject for sign in store.attention.signs().failures]
        answer = StatusUpdate("wamid.A", NUMBER, MessageStatus.FAILED, NOON, Contact(), error={"code": code})
        store.messages.learn([answer])

    assert raised == ["131215", "134011"]
    assert store.attention.signs().failures == []


def test_a_message_that_was_delivered_after_it_had_failed_raises_no_alert(timed: Store) -> None:
    fail(timed, 134011, "+4915112345678")
    timed.write(lambda c: c.execute(update(messages).values(status="delivered")))

    assert timed.attention.signs().failures == []
