"""The limit of each field: a sample, a place in it, values just within the limit and values beyond it."""

from typing import Any

REPLY = {"type": "reply", "reply": {"id": "a", "title": "a"}}
URL_BUTTON = {"type": "cta_url", "cta_url": {"display_text": "a", "url": "https://bakery.example"}}
ROW = {"id": "a", "title": "a"}


def replies(count: int) -> list[dict[str, Any]]:
    return [{"type": "reply", "reply": {"id": f"id{number}", "title": f"title{number}"}} for number in range(count)]


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"id{number}", "title": "row"} for number in range(count)]


def products(count: int) -> list[dict[str, Any]]:
    return [{"product_retailer_id": f"sku{number}"} for number in range(count)]


def link(length: int) -> str:
    return "https://bakery.example/".ljust(length, "x")


def x(count: int) -> str:
    return "x" * count


LIMITS: list[tuple[str, str, list[Any], list[Any]]] = [
    # sample, pointer, accepted, refused
    ("text", "/text/body", [x(1), x(4096), "🍞" * 4096, " a "], ["", " ", "\n\t", x(4097), 5, True, ["a"], {}]),
    ("text", "/text/preview_url", [True, False], ["true", 1, 0, []]),
    ("text", "/messaging_product", ["whatsapp"], ["messenger", "WhatsApp", 1, []]),
    ("text", "/recipient_type", ["individual"], ["person", 1, {}]),
    ("text", "/context", [{"message_id": "wamid.X"}], [{}, "wamid.X", {"message_id": "wamid.X", "from": "1"}]),
    ("reply", "/context/message_id", ["w", x(1024)], ["", x(1025), 7, {}]),
    ("text", "/recipient_identity_key_hash", ["a", x(128)], ["", x(129), 1]),
    ("text", "/biz_opaque_callback_data", ["", x(512)], [x(513), 1, {}]),
    ("text", "/from", ["106540352242922"], ["", "bakery", 106540352242922, "+49 30 1234567"]),
    ("user id", "/recipient", ["DE.1", "DE.ENT.1", "DE." + x(128)], ["DE.", "de.1", "DE." + x(129), "+4917", 1]),
    (
        "image",
        "/image/link",
        [link(2048), "HTTPS://a.example/b"],
        [link(2049), "", "ftp://a.example/b", "/rye.jpg", 1],
    ),
    (
        "image",
        "/image/link",
        ["https://a.example:8443/b", "https://[2001:db8::1]/b", "https://a.example/%20"],
        [
            "https://",
            "https://u:p@a.example/",
            "https://a.example/a b",
            "https://a:b/",
            "https://[::1/",
            "https:///b",
        ],
    ),
    ("image", "/image/caption", ["", x(1024), "a\nb"], [x(1025), 1]),
    ("audio", "/audio/id", [x(64), 4490709327384033], ["", " ", x(65), True, 1.5, []]),
    ("document", "/document/filename", ["a", x(1024)], ["", x(1025), 1]),
    ("voice", "/audio/voice", [True, False], ["true", 1]),
    (
        "location",
        "/location/latitude",
        [-90, 90, "-90.0", "52.5", 0],
        [-90.1, 90.1, "91", "", "1e1", "nan", True, []],
    ),
    ("location", "/location/longitude", [-180, 180, "180"], [-181, 181, "east", float("nan"), float("inf")]),
    ("location", "/location/name", ["", x(1000)], [x(1001), 1]),
    ("location", "/location/address", ["", x(1024)], [x(1025), 1]),
    ("contacts", "/contacts", [[{"name": {"formatted_name": "Ada"}}] * 257], [[], {}, "Ada"]),
    ("contacts", "/contacts", [], [[{"name": {"formatted_name": "Ada"}}] * 258]),
    ("contacts", "/contacts/0/name/formatted_name", [x(1024)], ["", x(1025), 1]),
    ("contacts", "/contacts/0/name/suffix", ["", "MD"], [1]),
    (
        "contacts",
        "/contacts/0/birthday",
        ["2000-02-29"],
        ["2001-02-29", "20000229", "2000-2-9", "1.2.2000", 20000229],
    ),
    ("contacts", "/contacts/0/phones/0/wa_id", ["1", ""], [49301234567]),
    ("contacts", "/contacts/0/addresses/0/country_code", ["de"], [49]),
    ("contacts", "/contacts/0/org/title", ["Baker"], [1]),
    ("reaction", "/reaction/message_id", [x(1024)], ["", x(1025), 1]),
    ("reaction", "/reaction/emoji", ["", "👍", "🇩🇪", "👩🏽‍🤝‍👨🏿", "❤️", "#️⃣", "1⃣", "\u2139\ufe0f", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"], []),
    ("reaction", "/reaction/emoji", ["😀" * 32], ["😀" * 33, "ok", ":)", "7", "привет", " ", "👍 ", 1, []]),
    ("pin", "/pin/type", ["pin", "unpin"], ["Pin", "remove", 1]),
    ("pin", "/pin/expiration_days", [1, 30, "7"], [0, 31, "0", 1.5, True, "week", "²"]),
    ("template without variables", "/template/name", ["a", x(512)], ["", x(513), "Hello", "hello-world", 1]),
    (
        "template text",
        "/template/language/code",
        ["en", "pt_BR", "zh-HK", "fil"],
        ["", "EN", "english", "e", "en_", 1],
    ),
    ("template text", "/template/language/policy", ["deterministic"], ["fallback", 1]),
    ("template text", "/template/components/0/parameters/0/text", [x(60)], [x(61), "", "a\nb", 1]),
    (
        "template text",
        "/template/components/1/parameters/0/text",
        [x(1024), "a    b"],
        [x(1025), "", " ", "a\nb", "a\tb", "a     b", "a\rb", 1],
    ),
    ("template long body", "/template/components/0/parameters/0/text", [x(32768)], [x(32769)]),
    (
        "template named",
        "/template/components/0/parameters/0/parameter_name",
        ["a", x(512)],
        ["", x(513), "A", "1a", 1],
    ),
    ("template buttons", "/template/components/1/parameters/0/payload", [x(256)], ["", x(1025), 1]),
    ("template buttons", "/template/components/1/index", [0, 9, "9"], [-1, 10, "10", "a", 1.0, True]),
    (
        "template buttons",
        "/template/components/3/parameters/0/text",
        [x(2000), "%20"],
        ["", x(2001), "a b", "a\nb", 1],
    ),
    (
        "template buttons",
        "/template/components/4/parameters/0/coupon_code",
        [x(20)],
        ["", x(21), 1, "RYE-10", "RYE 10"],
    ),
    ("template call", "/template/components/0/parameters/0/ttl_minutes", [1, 43200, "60"], [0, 43201, "soon"]),
    ("template call", "/template/components/0/parameters/1/payload", [x(512)], ["", x(513)]),
    ("template media cards", "/template/components/1/cards/0/components/1/parameters/0/text", [x(160)], [x(161)]),
    ("template media cards", "/template/components/1/cards/1/card_index", [1, "1"], [-1, 10, "x"]),
    ("interactive button", "/interactive/body/text", [x(1024)], ["", " ", x(1025), 1]),
    ("interactive button", "/interactive/footer/text", [x(60)], ["", x(61), 1]),
    ("interactive button", "/interactive/action/buttons", [replies(1), replies(3)], [[], replies(4), {}, "yes"]),
    (
        "interactive button",
        "/interactive/action/buttons/0/reply/id",
        ["a", x(256), "a b"],
        ["", x(257), " a", "a ", 1],
    ),
    ("interactive button", "/interactive/action/buttons/0/reply/title", [x(20), "🍞" * 20], ["", " ", x(21), 1]),
    ("interactive list", "/interactive/body/text", [x(4096)], ["", x(4097)]),
    ("interactive list", "/interactive/header/text", [x(60)], ["", x(61), 1]),
    ("interactive list", "/interactive/header/sub_text", ["", x(60)], [x(61), 1]),
    ("interactive list", "/interactive/action/button", [x(20)], ["", x(21), 1]),
    ("interactive list", "/interactive/action/sections/0/title", [x(24)], ["", x(25), 1]),
    ("interactive list", "/interactive/action/sections/0/rows/0/id", [x(200)], ["", x(201), 1]),
    ("interactive list", "/interactive/action/sections/0/rows/0/title", [x(24)], ["", x(25), 1]),
    ("interactive list", "/interactive/action/sections/0/rows/0/description", ["", x(72)], [x(73), 1]),
    ("interactive list of one section", "/interactive/action/sections/0/rows", [rows(10)], [[], rows(11), 1]),
    ("interactive cta_url", "/interactive/action/parameters/display_text", [x(20)], ["", x(21)]),
    ("interactive cta_url", "/interactive/action/parameters/url", [link(2000), "http://a.example"], ["", link(2001)]),
    ("interactive flow", "/interactive/action/parameters/flow_message_version", ["3"], [3, "4", ""]),
    ("interactive flow", "/interactive/action/parameters/flow_cta", [x(20)], ["", x(31), 1]),
    ("interactive flow", "/interactive/action/parameters/flow_token", [x(200)], ["", x(201)]),
    ("interactive flow", "/interactive/action/parameters/mode", ["draft", "published"], ["DRAFT", 1]),
    ("interactive flow", "/interactive/action/parameters/flow_action", ["navigate"], ["open", 1]),
    (
        "interactive flow",
        "/interactive/action/parameters/flow_action_payload/data",
        [{"a": [1, None]}, '{"a":1}'],
        [{}, "", 1, []],
    ),
    ("interactive product_list", "/interactive/action/sections/0/product_items", [products(29)], [[], products(31)]),
    ("interactive product_list", "/interactive/action/sections/0/title", [x(24)], ["", x(25)]),
    ("interactive product", "/interactive/action/catalog_id", [x(64)], ["", x(65), 1]),
    ("interactive product", "/interactive/action/product_retailer_id", [x(256)], ["", x(257), 1]),
    ("interactive address_message", "/interactive/action/parameters/country", ["IN", "SG"], ["in", "IND", "", 1]),
    ("interactive address_message", "/interactive/action/parameters/values/in_pin_code", [x(6)], [x(7), 560001]),
    ("interactive voice_call", "/interactive/action/parameters/display_text", [x(20)], ["", x(21)]),
    ("interactive voice_call", "/interactive/action/parameters/ttl_minutes", [1, 43200], [0, 43201]),
    ("interactive voice_call", "/interactive/action/parameters/payload", [x(512)], ["", x(513)]),
    ("interactive carousel", "/interactive/action/cards/0/body/text", [x(160), "a\nb\nc"], ["", x(161), "a\n\n\nb"]),
    ("interactive carousel", "/interactive/action/cards/0/action/parameters/display_text", [x(20)], ["", x(21)]),
    (
        "interactive order_details",
        "/interactive/action/parameters/reference_id",
        [x(60), "A_.-1"],
        ["", x(61), "a b"],
    ),
    ("interactive order_details", "/interactive/action/parameters/type", ["digital-goods"], ["goods", 1]),
    ("interactive order_details", "/interactive/action/parameters/currency", ["BRL"], ["brl", "R$", 1]),
    (
        "interactive order_details",
        "/interactive/action/parameters/total_amount/offset",
        [100, "100"],
        [10, "10", None],
    ),
    (
        "interactive order_details",
        "/interactive/action/parameters/total_amount/value",
        [2350, "2350"],
        [-1, 1.5, "1.5"],
    ),
    ("interactive order_details", "/interactive/action/parameters/order/items", [], [[], {}]),
    ("interactive order_details", "/interactive/action/parameters/order/items/0/name", [x(60)], ["", x(61)]),
    ("interactive order_details", "/interactive/action/parameters/order/items/0/quantity", [2, "2"], [0, 1.5, "two"]),
    ("interactive order_details", "/interactive/action/parameters/order/tax/description", [x(60)], [x(61)]),
    ("interactive order_details", "/interactive/action/parameters/order/expiration/description", [x(120)], [x(121)]),
    ("interactive order_status", "/interactive/action/parameters/order/description", ["", x(120)], [x(121)]),
    ("interactive order_status", "/interactive/action/parameters/order/status", ["shipped"], ["lost", "Shipped", 1]),
    ("interactive order_status", "/interactive/action/parameters/payment/status", ["failed"], ["paid", 1]),
    ("direct text", "/text/body", [x(1024)], [x(1025)]),
    ("direct text", "/ttl_seconds", [30, 43200, "60"], [29, 43201, "soon"]),
    ("direct text", "/direct_send_config/template_name", ["a_1", x(512)], ["", x(513), "A"]),
    ("direct code", "/ttl_seconds", [30, 900], [29, 901]),
    ("direct service", "/text/body", [x(4096)], [x(4097)]),
    ("direct buttons", "/interactive/action/buttons", [replies(10), [URL_BUTTON] * 2], [[], replies(11)]),
    ("direct buttons", "/interactive/action/buttons", [], [[URL_BUTTON] * 3, [REPLY, URL_BUTTON]]),
    ("direct service buttons", "/interactive/action/buttons", [replies(3)], [replies(4), [URL_BUTTON]]),
]
