"""Whether Meta lets an account send, as its webhooks tell."""

import hashlib
import json
from typing import Any

import pytest

from app.domain.meta.account_state import may_send
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


def test_what_is_no_update_of_an_account_says_nothing() -> None:
    assert told("account_update", "nonsense") is None
    assert told("account_alerts", {"event": "ACCOUNT_DELETED"}) is None
