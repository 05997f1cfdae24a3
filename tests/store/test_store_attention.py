"""The alerts that stand, and the webhooks that were refused, on both databases."""

from datetime import timedelta

from app.domain.alert import Alert
from app.domain.refused_webhooks import RefusedWebhooks
from app.store import Store
from tests.support.store import NOON
from tests.support.work import Clock

CRM, BOT = Alert("failing", "crm", "HTTP 500\0", "mend it"), Alert("failing", "bot", "timed out", "mend it", NOON)
MINUTE = timedelta(minutes=1)


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
