"""What Meta's webhooks about numbers and accounts warn of, and the ends of the Graph API's versions."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.domain.meta.graph_versions import ENDS, NOTICE, end_of, ends_soon
from app.domain.meta.warnings import ACCOUNT, ALERT, QUALITY, warning_of

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NUMBER = {"display_phone_number": "15550001111"}


def told(type_: str, raw: Any) -> tuple[str, str | None] | None:
    warning = warning_of(type_, "77", raw, NOON)
    return None if warning is None else (warning.subject, warning.text)


@pytest.mark.parametrize(
    ("type_", "raw", "expected"),
    [
        (
            QUALITY,
            {**NUMBER, "event": "FLAGGED", "current_limit": "TIER_1K"},
            ("15550001111", "Meta has flagged the number 15550001111, its limit is TIER_1K"),
        ),
        (
            QUALITY,
            {**NUMBER, "event": "DOWNGRADE"},
            ("15550001111", "Meta has lowered the limit of the number 15550001111"),
        ),
        (QUALITY, {**NUMBER, "event": "UNFLAGGED"}, ("15550001111", None)),
        (QUALITY, NUMBER, None),
        (QUALITY, "odd", None),
        (
            ACCOUNT,
            {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
            ("77", "Meta says of the account 77: account_violation (ADULT)"),
        ),
        (
            ACCOUNT,
            {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_X"}, 1]},
            ("77", "Meta says of the account 77: account_restriction (RESTRICTED_X)"),
        ),
        (ACCOUNT, {"event": "ACCOUNT_DELETED"}, ("77", "Meta says of the account 77: account_deleted")),
        (
            ACCOUNT,
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}},
            ("77", "Meta has announced a ban of the account 77 (schedule_for_disable)"),
        ),
        (ACCOUNT, {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}, ("77", None)),
        (
            ACCOUNT,
            {"event": "DISABLED_UPDATE"},
            ("77", "Meta has announced a ban of the account 77 (None)"),
        ),
        (ACCOUNT, {"event": "VERIFIED_ACCOUNT"}, None),
        (
            ALERT,
            {"alert_severity": "CRITICAL", "alert_status": "ACTIVE", "alert_type": "OBA_REJECTED"},
            ("77 oba_rejected", "Meta alerts about the account 77: oba_rejected"),
        ),
        (ALERT, {"alert_info": {"alert_severity": "WARNING"}}, ("77", "Meta alerts about the account 77: warning")),
        (ALERT, {"alert_severity": "WARNING", "alert_status": "NONE"}, ("77", None)),
        (ALERT, {"alert_severity": "INFORMATIONAL"}, ("77", None)),
        (ALERT, {}, None),
    ],
)
def test_a_warning_names_what_it_is_about_and_is_taken_back(
    type_: str, raw: Any, expected: tuple[str, str | None] | None
) -> None:
    assert told(type_, raw) == expected


def test_a_newer_version_ends_no_earlier_than_an_older_one() -> None:
    numbers = [float(version.removeprefix("v")) for version in ENDS]
    ends = [end or datetime.max.replace(tzinfo=UTC) for end in ENDS.values()]

    assert numbers == sorted(numbers, reverse=True)
    assert ends == sorted(ends, reverse=True)
    assert set(pairwise(numbers)) == {(one, one - 1) for one in numbers[:-1]}


def test_the_default_of_the_config_is_in_the_table() -> None:
    from app.config.schema.keys import SECTIONS

    assert end_of(SECTIONS["graph"]["apiVersion"].default) is not None


def test_an_end_is_reported_ninety_days_before_and_after() -> None:
    end = ENDS["v21.0"]
    assert end is not None

    assert not ends_soon("v21.0", end - NOTICE)
    assert ends_soon("v21.0", end - NOTICE + timedelta(seconds=1))
    assert ends_soon("v21.0", end + NOTICE)


def test_a_version_that_the_table_does_not_know_has_ended_or_is_new() -> None:
    assert ends_soon("v3.1", datetime(2026, 11, 1, tzinfo=UTC))
    assert not ends_soon("v99.0", datetime(2026, 11, 1, tzinfo=UTC))
