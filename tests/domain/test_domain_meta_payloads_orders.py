"""An order that a customer pays must leave the customer five minutes to pay it."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.meta.payloads.check import Payload, PayloadProblem, check_payload, late_fields
from app.domain.meta.payloads.order_expiry import has_expired_order
from tests.support.payload_samples import SAMPLES

EXPIRY = 1795780800
PLACES = {
    "interactive order_details": "/interactive/action/parameters/order/expiration/timestamp",
    "template order details": "/template/components/0/parameters/0/action/order_details/order/expiration/timestamp",
}


def late(name: str, seconds_ahead: int, timestamp: Any = str(EXPIRY)) -> tuple[PayloadProblem, ...]:
    """Return what is late in a sample whose order expires so many seconds after now."""
    body = copy.deepcopy(SAMPLES[name])
    *way, last = PLACES[name].strip("/").split("/")
    at: Any = body
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[last] = timestamp
    checked = check_payload(body)
    assert isinstance(checked, Payload)
    return late_fields(checked, datetime.fromtimestamp(EXPIRY - seconds_ahead, UTC))


@pytest.mark.parametrize("name", PLACES)
def test_an_order_that_expires_too_soon_is_found_at_its_place(name: str) -> None:
    [expired] = late(name, -60)
    [soon] = late(name, 299, EXPIRY)

    assert {expired.pointer, soon.pointer} == {PLACES[name]}
    assert expired.message == "must be at least 300 seconds ahead; it is 60 seconds ago"
    assert soon.message == "must be at least 300 seconds ahead; it is 299 ahead"
    assert "seconds since 1970" in (soon.hint or "")
    assert late(name, 300) == ()


def test_an_order_that_waits_to_be_sent_has_expired_from_its_time_on() -> None:
    now = datetime.fromtimestamp(EXPIRY, UTC)

    def has_expired(timestamp: object) -> bool:
        parameters = {"order": {"expiration": {"timestamp": timestamp}}}
        return has_expired_order(json.dumps({"interactive": {"action": {"parameters": parameters}}}).encode(), now)

    assert [has_expired(at) for at in (EXPIRY, str(EXPIRY + 1), str(EXPIRY - 1), None)] == [True, False, True, False]
    assert not has_expired_order(b'{"interactive":{}}', now)
