"""What has changed about alerts, and when refused webhooks need a human no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.alert import Alert, changes_of, recorded_text
from app.domain.refused_webhooks import RefusedWebhooks

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FAILING = Alert("failing", "crm", "HTTP 500", "mend it", NOON)
OTHER = Alert("failing", "bot", "HTTP 500", "mend it", NOON)


def test_an_alert_begins_and_is_over_by_its_code_and_subject() -> None:
    now = [Alert("failing", "crm", "timed out", "mend it"), Alert("dead_letters", "", "1", "replay")]

    changes = changes_of(now, {FAILING.key: FAILING, OTHER.key: OTHER})

    assert (changes.opened, changes.closed) == ([now[1]], [OTHER])


def test_an_alert_that_stands_with_another_cause_has_changed() -> None:
    now = Alert("failing", "crm", "timed out", "mend it")

    changes = changes_of([now, OTHER], {FAILING.key: FAILING, OTHER.key: OTHER})

    assert (changes.opened, changes.closed, changes.changed) == ([], [], [now])


@pytest.mark.parametrize("cause", ["a" * 501, "two\nlines", "half \ud83d of a pair"])
def test_an_alert_whose_cause_is_recorded_in_another_form_has_not_changed(cause: str) -> None:
    now = replace(FAILING, cause=cause)

    changes = changes_of([now], {now.key: replace(now, cause=recorded_text(cause))})

    assert recorded_text(cause) != cause
    assert changes.changed == []


@pytest.mark.parametrize(
    ("reason", "quiet", "accepted_after", "is_over"),
    [
        ("signature_mismatch", MINUTE, True, True),
        ("signature_mismatch", MINUTE - timedelta(seconds=1), True, False),
        ("signature_mismatch", 23 * HOUR, False, False),
        ("signature_mismatch", 24 * HOUR, False, True),
        ("verify_token_mismatch", MINUTE, True, False),
        ("verify_token_mismatch", HOUR, False, True),
    ],
)
def test_refusals_are_over_once_a_webhook_was_accepted_and_a_minute_has_passed(
    reason: str, quiet: timedelta, accepted_after: bool, is_over: bool
) -> None:
    refused = RefusedWebhooks(reason, 1, NOON, NOON)

    assert refused.is_over(NOON + quiet, NOON + timedelta(seconds=1 if accepted_after else -1)) is is_over


def test_without_any_accepted_webhook_refusals_are_reported_for_a_day() -> None:
    refused = RefusedWebhooks("missing_signature", 1, NOON, NOON)

    assert not refused.is_over(NOON + HOUR, None)
