"""The limits of what stands deep in templates, orders and carousels; as in `payload_limits.py`."""

from typing import Any

from tests.support.payload_interactive import INTERACTIVE
from tests.support.payload_templates import body, button, card

PARTS = "/template/components"
CARD = INTERACTIVE["carousel"]["action"]["cards"][0]
TEXT = {"type": "text", "text": "a"}
ENDING = {"type": "text", "text": "orders"}
CODE = {"type": "coupon_code", "coupon_code": "a"}


def x(count: int) -> str:
    return "x" * count


def buttons(count: int) -> list[dict[str, Any]]:
    return [button("url", ENDING, index=index) for index in range(count)]


def media_cards(count: int) -> list[dict[str, Any]]:
    return [{**CARD, "card_index": index} for index in range(count)]


def cards(count: int) -> list[dict[str, Any]]:
    return [card(index, body("a")) for index in range(count)]


def sections(count: int) -> list[dict[str, Any]]:
    return [{"title": "a", "rows": [{"id": f"id{index}", "title": "a"}]} for index in range(count)]


def groups(count: int, products: int = 1) -> list[dict[str, Any]]:
    return [{"title": "a", "product_items": [{"product_retailer_id": "a"}] * products}] * count


def reply_cards(count: int) -> list[dict[str, Any]]:
    """Two cards with this many buttons each."""
    replies = [{"type": "quick_reply", "quick_reply": {"id": f"{each}", "title": f"{each}"}} for each in range(count)]
    return [{**each_card, "action": {"buttons": replies}} for each_card in media_cards(2)]


def order(count: int) -> list[dict[str, Any]]:
    return [{"name": "a", "amount": {"value": 1, "offset": 100}, "quantity": 1}] * count


TIME = "template money and time", f"{PARTS}/0/parameters/1/date_time"
MONEY = "template money and time", f"{PARTS}/0/parameters/0/currency"
ORDER = "interactive order_details", "/interactive/action/parameters"
FLOW = "interactive flow", "/interactive/action/parameters"
ADDRESS = "interactive address_message", "/interactive/action/parameters"
CAROUSEL = "interactive carousel", "/interactive/action/cards"
CONTACT = "contacts", "/contacts/0"

PART_LIMITS: list[tuple[tuple[str, str], str, list[Any], list[Any]]] = [
    # sample and place, below it, accepted, refused
    (CONTACT, "/name/last_name", [x(1024)], [x(1025)]),
    (CONTACT, "/phones", [[{}] * 100], [[{}] * 101]),
    (CONTACT, "/emails", [[{}] * 100], [[{}] * 101]),
    (CONTACT, "/urls", [[{}] * 100], [[{}] * 101]),
    (CONTACT, "/addresses", [[{}] * 100], [[{}] * 101]),
    (CONTACT, "/urls/0/url", [x(2048)], [x(2049)]),
    (("unpin", "/pin"), "/expiration_days", [1, 30], [0, 31]),
    (("text", ""), "/from", ["1" * 40], ["1" * 41]),
    (("template text", "/template"), "/language/code", ["fil_Latn"], ["fil_Latin", "fill"]),
    (("template text", PARTS), "/0/parameters", [[TEXT]], [[], [TEXT, TEXT]]),
    (("template text", PARTS), "/1/parameters", [[TEXT] * 100], [[TEXT] * 101]),
    (("template text", "/template"), "/components", [[], buttons(10)], [[body("a")] * 17, buttons(11)]),
    (TIME, "/fallback_value", [x(1024)], ["", x(1025), "a\nb"]),
    (TIME, "/month", [1, 12], [0, 13]),
    (TIME, "/day_of_month", [1, 31, "31"], [0, 32]),
    (TIME, "/day_of_week", [1, 7, "7", "monday", "Sunday"], [0, 8, "noday", "", []]),
    (TIME, "/hour", [0, 23], [-1, 24]),
    (TIME, "/minute", [0, 59], [-1, 60]),
    (TIME, "/calendar", ["gregorian"], ["julian"]),
    (MONEY, "/fallback_value", [x(1024)], ["", x(1025)]),
    (MONEY, "/code", ["BRL"], ["BR", "BRLX", "brl"]),
    (MONEY, "/amount_1000", [-5, "5", 0], [1.5, "1.5", None, True]),
    (("template product", PARTS), "/0/parameters/0/product/catalog_id", [x(64)], ["", x(65), None]),
    (("template product", PARTS), "/1/parameters", [[]], [[TEXT]]),
    (("template buttons", PARTS), "/1/parameters", [], [[], [{"type": "payload", "payload": "a"}] * 2]),
    (("template buttons", PARTS), "/1/parameters/0/payload", [x(1024)], [x(1025)]),
    (("template buttons", PARTS), "/3/parameters", [], [[], [ENDING, ENDING]]),
    (("template buttons", PARTS), "/4/parameters", [], [[], [CODE, CODE]]),
    (("template flow", PARTS), "/0/parameters/0/action/flow_token", [x(200)], ["", x(201)]),
    (("template flow", PARTS), "/0/parameters/0/action/flow_action_data", [{}, {"a": []}], [[], "a"]),
    (("template products", PARTS), "/0/parameters/0/action/sections", [groups(10)], [[], groups(11)]),
    (
        ("template products", PARTS),
        "/0/parameters/0/action/sections",
        [groups(2, 15)],
        [groups(2, 16), groups(1, 31)],
    ),
    (("template limited offer", PARTS), "/2/parameters/0/limited_time_offer/expiration_time_ms", [1], [0, -1, "x"]),
    (("template media cards", PARTS), "/1/cards", [cards(2), cards(10)], [cards(1), cards(11)]),
    (("template media cards", PARTS), "/1/cards/0/card_index", [9], [10, -1]),
    (("template media cards", PARTS), "/1/cards/0/components", [buttons(2)], [[], buttons(3), [body("a")] * 5]),
    (("template tap target", PARTS), "/0/parameters/0/tap_target_configuration", [[{}]], [[], [{}, {}]]),
    (("interactive list", "/interactive/action"), "/sections", [sections(1), sections(10)], [[], sections(11)]),
    (FLOW, "/flow_cta", [x(30)], [x(31)]),
    (FLOW, "/flow_id", [x(64), 1297420648210942], ["", x(65), True]),
    (("interactive flow by name", FLOW[1]), "/flow_name", [x(200)], ["", x(201)]),
    (FLOW, "/flow_action_payload/screen", [x(256)], ["", x(257)]),
    (FLOW, "/flow_action_payload/data", [x(65536)], [x(65537)]),
    (ADDRESS, "/values/sg_post_code", [x(6)], [x(7)]),
    (ADDRESS, "/values/house_number", ["", x(1024)], [x(1025), 7]),
    (ADDRESS, "/saved_addresses", [[], [{"id": "a", "value": {}}] * 100], [[{"id": "a", "value": {}}] * 101]),
    (ADDRESS, "/saved_addresses/0/id", [x(256)], ["", x(257)]),
    (CAROUSEL, "", [media_cards(2), media_cards(10)], [media_cards(1), media_cards(11)]),
    (CAROUSEL, "/0/card_index", [9, "9"], [-1, 10]),
    (CAROUSEL, "", [reply_cards(1), reply_cards(3)], [reply_cards(0), reply_cards(4)]),
    (ORDER, "/order/items", [order(999)], [order(1000)]),
    (ORDER, "/order/items/0/importer_name", [x(1024)], ["", x(1025)]),
    (ORDER, "/order/items/0/country_of_origin", [x(1024)], ["", x(1025)]),
    (ORDER, "/order/discount/description", [x(60)], [x(61)]),
    (ORDER, "/order/discount/discount_program_name", [x(60)], [x(61)]),
    (ORDER, "/order/expiration/timestamp", [4102488000, "4102488000"], [0, "", "tomorrow"]),
    (ORDER, "/total_amount/value", [0], [-1]),
    (ORDER, "/total_amount/offset", [100], [99, 101]),
    (ORDER, "/payment_type", [x(256)], ["", x(257)]),
    (ORDER, "/payment_configuration", [x(60)], ["", x(61)]),
    (ORDER, "/payment_settings", [[{"type": x(256), "boleto": {}}] * 20], [[], [{"type": "a"}] * 21, [{}]]),
    (ORDER, "/payment_settings", [], [[{"type": x(257)}], [{"type": ""}]]),
    (("interactive order_status", ORDER[1]), "/payment/timestamp", [1], [0, "now"]),
]
