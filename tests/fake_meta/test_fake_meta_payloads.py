"""Two validators that share no rule agree: what ours accepts, the fake Meta accepts, at every limit too."""

import copy
from typing import Any

import pytest

from app.domain.meta.payloads.check import Payload, check_payload
from tests.fake_meta.test_fake_meta_nodes import data
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import CalledMeta, error_of, message
from tests.support.payload_limits import LIMITS
from tests.support.payload_limits_of_parts import PART_LIMITS
from tests.support.payload_samples import DIRECT_SENDS, SAMPLES

EVERY = {**SAMPLES, **DIRECT_SENDS}
PLACES = [
    *((name, pointer, accepted) for name, pointer, accepted, _ in LIMITS),
    *((name, place + pointer, accepted) for (name, place), pointer, accepted, _ in PART_LIMITS),
]

REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"messaging_product": "sms"}, 100, "messaging_product"),
    ({"to": "call me"}, 100, "Param to"),
    ({"to": None}, 131008, "recipient"),
    ({"to": None, "recipient": "somebody"}, 131009, "recipient"),
    ({"colour": "red"}, 100, 'Unexpected key "colour"'),
    ({"text": {"body": "hi", "colour": 1}}, 100, 'Unexpected key "colour"'),
    ({"text": {"body": " "}}, 131008, "text['body']"),
    ({"text": {"body": "x" * 4097}}, 131009, "4096"),
    ({"text": "hi"}, 131009, "object"),
    ({"text": {"body": "hi", "preview_url": "yes"}}, 131009, "boolean"),
    ({"type": "sms"}, 131009, "must be one of"),
    ({"type": "image", "image": {"id": "1", "link": "https://x.example/a"}}, 131008, "Exactly one of"),
    ({"type": "image", "image": {"link": "ftp://x.example/a"}}, 131009, "valid URL"),
    ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, "-90 to 90"),
    ({"type": "location", "location": {"latitude": True, "longitude": 0}}, 131009, "-90 to 90"),
    ({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "ok"}}, 131009, "emoji"),
    ({"type": "contacts", "contacts": []}, 131009, "1 to 257"),
    ({"type": "contacts", "contacts": ["Ada"]}, 131009, "object"),
    ({"type": "pin", "pin": {"type": "unpin", "message_id": "wamid.x"}}, 131009, "group"),
    ({"type": "template", "template": {"name": "Hi!", "language": {"code": "en"}}}, 131009, "lower-case"),
    ({"type": "template", "template": {"name": "hi", "language": {"code": "English"}}}, 131009, "locale"),
    ({"category": "spam"}, 131009, "must be one of"),
    ({"ttl_seconds": 60}, 100, "need a category"),
    ({"type": "location", "location": {"latitude": 1, "longitude": 1}, "category": "utility"}, 100, "text and inter"),
]
CARDS, ORDER = "/interactive/action/cards", "/interactive/action/parameters"
IN_TEMPLATE = "/template/components/0/parameters/0"
ORDER_IN_BUTTON = f"{IN_TEMPLATE}/action/order_details"
REFUSED_IN_SAMPLE: list[tuple[str, str, Any, int, str]] = [
    ("interactive carousel", f"{CARDS}/1/card_index", 0, 131009, "Duplicated card_index"),
    ("interactive carousel", f"{CARDS}/1/type", "product", 131008, "product_retailer_id"),
    ("interactive carousel", f"{CARDS}/1/colour", "red", 100, "Unexpected key"),
    ("interactive carousel", f"{CARDS}/1/body/text", "x" * 161, 131009, "160"),
    ("interactive carousel", f"{CARDS}/1/body/text", "1\n2\n3\n4", 131009, "line breaks"),
    ("interactive carousel", f"{CARDS}/1/action/parameters/url", "bread", 131009, "valid URL"),
    ("interactive carousel of replies", f"{CARDS}/1/action/buttons/0/quick_reply/title", "x" * 21, 131009, "20"),
    ("interactive carousel of replies", f"{CARDS}/1/action/buttons", [], 131009, "1 to 3"),
    ("interactive carousel of products", f"{CARDS}/1/action/catalog_id", "2", 131009, "must all have the same"),
    ("interactive order_details", f"{ORDER}/reference_id", "order 71", 131009, "reference_id"),
    ("interactive order_details", f"{ORDER}/type", "goods", 131009, "must be one of"),
    ("interactive order_details", f"{ORDER}/currency", "inr", 131009, "ISO 4217"),
    ("interactive order_details", f"{ORDER}/total_amount/value", 2351, 131009, "subtotal + tax + shipping"),
    ("interactive order_details", f"{ORDER}/total_amount/offset", 10, 131009, "100 to 100"),
    ("interactive order_details", f"{ORDER}/order/subtotal/value", 2199, 131009, "sum of the items"),
    ("interactive order_details", f"{ORDER}/order/items", [], 131009, "1 to 999"),
    ("interactive order_details", f"{ORDER}/order/tax", None, 131008, "tax"),
    ("interactive order_details", f"{ORDER}/order/expiration/timestamp", "1795000299", 131009, "expiration"),
    ("template order details", IN_TEMPLATE, {"type": "text", "text": "pay"}, 131009, "must be one of {action}"),
    ("template order details", f"{IN_TEMPLATE}/action", {"flow_token": "x"}, 100, "Unexpected key"),
    ("template order details", f"{ORDER_IN_BUTTON}/reference_id", "order 71", 131009, "reference_id"),
    ("template order details", f"{ORDER_IN_BUTTON}/total_amount/value", 2351, 131009, "subtotal + tax + shipping"),
    ("template order details", f"{ORDER_IN_BUTTON}/order/items", [], 131009, "1 to 999"),
    ("template order details", f"{ORDER_IN_BUTTON}/order/expiration/timestamp", 1795000299, 131009, "expiration"),
    ("template order status", IN_TEMPLATE, {"type": "text", "text": "sent"}, 131009, "must be one of {order_status}"),
    ("template order status", f"{IN_TEMPLATE}/order_status/order/status", "lost", 131009, "must be one of"),
    ("interactive order_status", f"{ORDER}/order/status", "lost", 131009, "must be one of"),
    ("interactive order_status", f"{ORDER}/payment/status", "lost", 131009, "must be one of"),
    ("direct text", "/text/body", "x" * 1025, 131009, "1024"),
    ("direct code", "/ttl_seconds", 901, 131009, "30 to 900"),
    ("direct service", "/ttl_seconds", 60, 100, "category service"),
    ("direct buttons", "/interactive/type", "list", 131009, "must be one of"),
]


def put(sample: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Return a copy of a sample with this value at this place."""
    body = copy.deepcopy(sample)
    *way, last = pointer.strip("/").split("/")
    at: Any = body
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return body


def verdict(meta: CalledMeta, body: dict[str, Any]) -> str:
    """Return what the fake says to a message that ours accepts; `warned` if it refuses what ours has warned of."""
    ours = check_payload(copy.deepcopy(body))
    assert isinstance(ours, Payload), ours
    answer = meta.ask("POST", f"{NUMBER}/messages", ours.body)
    if answer.status != 200 and ours.warnings:
        return "warned"
    return "accepted" if answer.status == 200 else str(error_of(answer)["error_data"]["details"])


@pytest.mark.parametrize("name", EVERY)
def test_a_message_of_every_kind_is_accepted_by_both(meta: CalledMeta, name: str) -> None:
    assert verdict(meta, EVERY[name]) == "accepted"


@pytest.mark.parametrize(("name", "pointer", "values"), PLACES)
def test_what_is_just_within_a_limit_is_accepted_by_both(
    meta: CalledMeta, name: str, pointer: str, values: list[Any]
) -> None:
    meta.switch(number_rate=None, pair_limit=False)

    assert {verdict(meta, put(EVERY[name], pointer, value)) for value in values} <= {"accepted", "warned"}


@pytest.mark.parametrize(("fields", "code", "told"), REFUSED, ids=[told for _, _, told in REFUSED])
def test_what_graph_refuses_has_its_code_and_says_where(
    meta: CalledMeta, fields: dict[str, Any], code: int, told: str
) -> None:
    answer = meta.ask("POST", f"{NUMBER}/messages", message(**{"to": "+4915112345678", **fields}))

    error = error_of(answer)
    assert (answer.status, error["code"]) == (400, code)
    assert told in error["error_data"]["details"]
    assert data(answer)["error"]["message"].startswith(f"(#{code}) ")


@pytest.mark.parametrize(("name", "pointer", "value", "code", "told"), REFUSED_IN_SAMPLE)
def test_graph_refuses_a_sample_with_a_wrong_value_at_one_place(
    meta: CalledMeta, name: str, pointer: str, value: Any, code: int, told: str
) -> None:
    body = {"messaging_product": "whatsapp", **put(EVERY[name], pointer, value)}

    error = error_of(meta.ask("POST", f"{NUMBER}/messages", body))

    assert (error["code"], told in error["error_data"]["details"]) == (code, True), error
