"""Whether Meta lets an account send, as its webhooks tell."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.meta.account_state import may_send, restrictions_of
from app.domain.meta.parse import split
from tests.support.envelopes import envelope
from tests.support.store import NOON


def told(field: str, value: Any) -> bool | None:
    body = json.dumps(envelope({"field": field, "value": value})).encode()
    [event] = split(body, sha256=hashlib.sha256(body).digest(), received_at=NOON)
    return may_send(event)


@pytest.mark.parametrize(
    ("value", "may"),
    [
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, False),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}, True),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}, None),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["DISABLE"]}}, None),
        ({"event": "DISABLED_UPDATE", "ban_info": "DISABLE"}, None),
        ({"event": "ACCOUNT_DELETED"}, False),
        ({"event": "VERIFIED_ACCOUNT", "ban_info": {"waba_ban_state": "DISABLE"}}, None),
    ],
)
def test_a_ban_stops_an_account_and_its_end_lets_it_go_on(value: dict[str, Any], may: bool | None) -> None:
    assert told("account_update", value) is may


def restrictions(value: Any, field: str = "account_update") -> dict[str, datetime | None]:
    body = json.dumps(envelope({"field": field, "value": value})).encode()
    [event] = split(body, sha256=hashlib.sha256(body).digest(), received_at=NOON)
    return restrictions_of(event)


def test_a_restriction_says_what_it_is_about_and_until_when() -> None:
    told = [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1767355200},
        {"restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"},
        {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": 1767355200},
        {"restriction_type": ["RESTRICTED_BIZ_INITIATED_MESSAGING"]},
        "nonsense",
    ]
    value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": told}

    assert restrictions(value) == {"initiated:": datetime(2026, 1, 2, 12, 0, tzinfo=UTC), "replies:": None}
    assert restrictions({**value, "restriction_info": "nonsense"}) == {}
    assert restrictions({**value, "event": "ACCOUNT_VIOLATION"}) == {}
    assert restrictions("nonsense") == {}
    assert restrictions(value, "account_alerts") == {}


def test_what_is_no_update_of_an_account_says_nothing() -> None:
    assert told("account_update", "nonsense") is None
    assert told("account_alerts", {"event": "ACCOUNT_DELETED"}) is None
