"""Which failed messages raise an alert, and what it is about."""

from typing import Any

import pytest

from app.domain.failure_sign import alert_subject, country_of
from app.domain.message import MessageStatus
from tests.support.messages import stored_message


@pytest.mark.parametrize(
    ("error", "recipient", "subject"),
    [
        ({"code": 130497}, {"to": "+4915112345678"}, "130497:+49"),
        ({"code": "130497"}, {"to": None, "recipient": "IN.13491208655302741918"}, "130497:IN"),
        ({"code": 130497}, {"to": "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"}, "130497"),
        ({"code": 134011}, {"to": "+4915112345678"}, "134011"),
        ({"code": 131026}, {"to": "+4915112345678"}, None),
        ({"code": "window_closed"}, {"to": "+4915112345678"}, None),
        (None, {"to": "+4915112345678"}, None),
    ],
)
def test_a_failed_message_raises_an_alert_for_some_errors(
    error: Any, recipient: dict[str, Any], subject: str | None
) -> None:
    message = stored_message(status=MessageStatus.FAILED, error=error, **recipient)

    assert alert_subject(message) == subject


def test_a_message_that_did_not_fail_raises_none() -> None:
    assert alert_subject(stored_message(status=MessageStatus.DELIVERED, error={"code": 130497})) is None


@pytest.mark.parametrize(
    ("number", "code"),
    [("16505551234", "+1"), ("79161234567", "+7"), ("5531988880001", "+55"), ("351912345678", "+351")],
)
def test_the_country_of_a_number_is_its_calling_code(number: str, code: str) -> None:
    assert country_of(number) == code
