"""What must hold between the fields of interactive messages: uniqueness, sums, what needs or excludes what."""

from typing import Any

import pytest

from tests.support.payload_interactive import ORDER_DETAILS
from tests.support.payload_samples import SAMPLES
from tests.support.payloads import accepted, pointers, with_value

IMAGE = {"id": "4490709327384033"}
ACTION = "/interactive/action"
PARAMETERS = f"{ACTION}/parameters"


def reply(id_: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": id_, "title": title}}


@pytest.mark.parametrize(
    ("buttons", "pointer"),
    [
        ([reply("a", "A"), reply("a", "B")], f"{ACTION}/buttons/1/reply/id"),
        ([reply("a", "A"), reply("b", "B"), reply("c", "A")], f"{ACTION}/buttons/2/reply/title"),
        ([{"type": "url", "reply": {"id": "a", "title": "A"}}], f"{ACTION}/buttons/0/type"),
        ([{"reply": {"id": "a", "title": "A"}}], f"{ACTION}/buttons/0/type"),
        ([{"type": "reply"}], f"{ACTION}/buttons/0/reply"),
        (["yes"], f"{ACTION}/buttons/0"),
    ],
)
def test_buttons_are_replies_unique_in_id_and_title(buttons: Any, pointer: str) -> None:
    assert pointers(with_value("interactive button", f"{ACTION}/buttons", buttons)) == [pointer]


def section(*ids: str, **more: Any) -> dict[str, Any]:
    return {"rows": [{"id": each, "title": "row"} for each in ids], **more}


@pytest.mark.parametrize(
    ("sections", "pointer"),
    [
        ([section("a", "a")], f"{ACTION}/sections/0/rows/1/id"),
        ([section("a", title="A"), section("a", title="B")], f"{ACTION}/sections/1/rows/0/id"),
        ([section("a", title="A"), section("b")], f"{ACTION}/sections/1/title"),
        ([section(*"abcdef", title="A"), section(*"ghijk", title="B")], f"{ACTION}/sections"),
        ([section("a", title="A"), {"title": "B"}], f"{ACTION}/sections/1/rows"),
        ([section("a"), "b"], f"{ACTION}/sections/0/title"),
    ],
)
def test_a_list_has_ten_rows_over_all_sections_unique_by_id(sections: Any, pointer: str) -> None:
    assert pointer in pointers(with_value("interactive list", f"{ACTION}/sections", sections))


def test_a_list_has_no_picture() -> None:
    assert pointers(with_value("interactive list", "/interactive/header", {"type": "image", "image": IMAGE})) == [
        "/interactive/header/type"
    ]


def test_a_list_of_products_needs_a_header_and_has_thirty_products() -> None:
    items = [{"product_retailer_id": f"sku{number}"} for number in range(20)]
    sections = [{"title": "A", "product_items": items}, {"title": "B", "product_items": items}]
    message = with_value("interactive product_list", f"{ACTION}/sections", sections)

    del message["interactive"]["header"]

    assert pointers(message) == ["/interactive/header", f"{ACTION}/sections"]


@pytest.mark.parametrize("kind", ["product", "catalog_message", "location_request_message", "voice_call", "carousel"])
def test_a_kind_without_a_header_refuses_one(kind: str) -> None:
    message = with_value(f"interactive {kind}", "/interactive/header", {"type": "text", "text": "hi"})

    assert pointers(message) == ["/interactive/header"]


@pytest.mark.parametrize("kind", ["button", "list", "cta_url", "flow", "carousel", "order_status"])
def test_a_kind_that_needs_a_body_says_so(kind: str) -> None:
    message = with_value(f"interactive {kind}", "/interactive/body", None)

    assert pointers(message) == ["/interactive/body"]


@pytest.mark.parametrize(
    ("place", "value", "pointer"),
    [
        ("flow_name", "pick_up", PARAMETERS),
        ("flow_id", None, PARAMETERS),
        ("flow_action_payload", {"data": {"a": 1}}, f"{PARAMETERS}/flow_action_payload/screen"),
        ("flow_action", "data_exchange", f"{PARAMETERS}/flow_action_payload/screen"),
        ("flow_action_payload", "TIMES", f"{PARAMETERS}/flow_action_payload"),
    ],
)
def test_a_flow_is_named_once_and_has_its_first_screen(place: str, value: Any, pointer: str) -> None:
    assert pointer in pointers(with_value("interactive flow", f"{PARAMETERS}/{place}", value))


def test_data_without_a_screen_is_left_to_meta() -> None:
    message = with_value("interactive flow by name", f"{PARAMETERS}/flow_action_payload", {"data": {"a": 1}})

    assert accepted(message).warnings == ()


@pytest.mark.parametrize(
    ("host", "warns"), [("192.0.2.7", True), ("[2001:db8::1]:80", True), ("1.2.3.4.example", False)]
)
def test_a_link_to_an_ip_address_is_accepted_with_a_warning(host: str, warns: bool) -> None:
    message = with_value("interactive cta_url", f"{PARAMETERS}/url", f"https://{host}/breads")

    assert [f"{PARAMETERS}/url has an IP address" in told for told in accepted(message).warnings] == [True] * warns


def test_a_long_label_of_a_flow_is_accepted_with_a_warning() -> None:
    [warning] = accepted(with_value("interactive flow", f"{PARAMETERS}/flow_cta", "x" * 30)).warnings

    assert warning.startswith(f"{PARAMETERS}/flow_cta has 30 characters")


LINK = {"display_text": "Rye", "url": "https://bakery.example/rye"}


@pytest.mark.parametrize(
    ("name", "place", "value", "pointer"),
    [
        ("carousel", "cards/1/card_index", 0, "cards/1/card_index"),
        ("carousel", "cards/1/card_index", "0", "cards/1/card_index"),
        ("carousel", "cards/2/header", {"type": "video", "video": IMAGE}, "cards/2/header/type"),
        ("carousel", "cards/0/header", {"type": "text", "text": "hi"}, "cards/0/header/type"),
        ("carousel of replies", "cards/1/action/buttons", [], "cards/1/action/buttons"),
        ("carousel of replies", "cards/0/action/name", "open", "cards/0/action/name"),
        ("carousel of replies", "cards/0/action/parameters", {}, "cards/0/action"),
        ("carousel", "cards/1/action", {"parameters": LINK}, "cards/1/action/name"),
        ("carousel of products", "cards/1/action/catalog_id", "2", "cards/1/action/catalog_id"),
        ("carousel of products", "cards/1/type", "image", "cards/1/type"),
        ("carousel", "cards", [], "cards"),
        ("carousel", "cards/1", "card", "cards/1"),
    ],
)
def test_the_cards_of_a_carousel_are_alike(name: str, place: str, value: Any, pointer: str) -> None:
    message = with_value(f"interactive {name}", f"{ACTION}/{place}", value)

    assert f"{ACTION}/{pointer}" in pointers(message)


@pytest.mark.parametrize("count", [1, 11])
def test_a_carousel_has_two_to_ten_cards(count: int) -> None:
    cards = SAMPLES["interactive carousel"]["interactive"]["action"]["cards"]
    many = [{**cards[0], "card_index": index} for index in range(count)]

    assert f"{ACTION}/cards" in pointers(with_value("interactive carousel", f"{ACTION}/cards", many))


def test_cards_with_other_buttons_than_the_first_are_refused() -> None:
    buttons = [{"type": "quick_reply", "quick_reply": {"id": "a", "title": "A"}}]

    message = with_value("interactive carousel of replies", f"{ACTION}/cards/1/action/buttons", buttons)

    assert pointers(message) == [f"{ACTION}/cards/1"]


@pytest.mark.parametrize(
    ("place", "value", "place_of_warning"),
    [
        ("total_amount/value", 2349, "total_amount/value"),
        ("order/subtotal/value", 2100, "order/subtotal/value"),
        ("order/discount/value", "99", "total_amount/value"),
        ("order/items/0/quantity", 3, "order/subtotal/value"),
        ("order/items/0/sale_amount/value", 900, "order/subtotal/value"),
    ],
)
def test_an_order_that_does_not_add_up_is_accepted_with_a_warning(
    place: str, value: Any, place_of_warning: str
) -> None:
    warnings = accepted(with_value("interactive order_details", f"{PARAMETERS}/{place}", value)).warnings

    assert any(warning.startswith(f"{PARAMETERS}/{place_of_warning} is not") for warning in warnings)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("order", []),
        ("order/items", "bread"),
        ("order/items/0", "bread"),
        ("order/items/0/amount", 5),
        ("order/items/0/sale_amount", "5"),
        ("order/items/0/quantity", []),
        ("order/subtotal", 5),
        ("order/tax", "none"),
        ("order/discount", 1),
        ("total_amount", {}),
    ],
)
def test_an_order_with_unreadable_sums_is_refused_for_what_is_unreadable(place: str, value: Any) -> None:
    problems = pointers(with_value("interactive order_details", f"{PARAMETERS}/{place}", value))

    assert all(pointer.startswith(f"{PARAMETERS}/{place}") for pointer in problems)


def test_an_order_needs_its_parts() -> None:
    message = with_value("interactive order_details", PARAMETERS, {"order": {}})

    assert {pointer.removeprefix(f"{PARAMETERS}/") for pointer in pointers(message)} == {
        *(set(ORDER_DETAILS) - {"order", "payment_type", "payment_configuration"}),
        *(f"order/{part}" for part in ("status", "items", "subtotal", "tax")),
    }
