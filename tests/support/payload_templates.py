"""Templates as they are sent: with every kind of component, parameter and button."""

from typing import Any

from tests.support.payload_interactive import ORDER_DETAILS, ORDER_STATUS


def template(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "order_ready", "language": {"code": "en_US"}, "components": list(components), **more}


def header(kind: str, content: Any) -> dict[str, Any]:
    return {"type": "header", "parameters": [{"type": kind, kind: content}]}


def body(*texts: str) -> dict[str, Any]:
    return {"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}


def button(sub_type: str, *parameters: dict[str, Any], index: Any = 0) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


def action(content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "action", "action": content}


def card(index: Any, *components: dict[str, Any]) -> dict[str, Any]:
    return {"card_index": index, "components": list(components)}


IMAGE = {"link": "https://cdn.bakery.example/rye.jpg"}
PRODUCT = {"product_retailer_id": "rye-1", "catalog_id": "1174529863"}
TIME = {
    "fallback_value": "Friday, 9:00",
    "calendar": "GREGORIAN",
    "year": 2026,
    "month": 11,
    "day_of_month": "27",
    "day_of_week": 5,
    "hour": 9,
    "minute": 0,
}

TEMPLATES: dict[str, dict[str, Any]] = {
    "without variables": {"name": "hello_world", "language": {"code": "en_US", "policy": "deterministic"}},
    "text": template(header("text", "Friday"), body("Ada", "71")),
    "long body": template(body("x" * 32768)),
    "named": template(
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "order_id", "text": "71"},
                {"type": "text", "parameter_name": "first_name", "text": "Ada"},
            ],
        }
    ),
    "money and time": template(
        {
            "type": "body",
            "parameters": [
                {
                    "type": "currency",
                    "currency": {"fallback_value": "23.50 EUR", "code": "EUR", "amount_1000": 23500},
                },
                {"type": "date_time", "date_time": TIME},
                {"type": "date_time", "date_time": {"fallback_value": "noon", "day_of_week": "FRIDAY"}},
            ],
        }
    ),
    "in capitals": template(
        {"type": "BODY", "parameters": [{"type": "TEXT", "text": "Ada"}]},
        {
            "type": "BUTTON",
            "sub_type": "QUICK_REPLY",
            "index": "0",
            "parameters": [{"type": "PAYLOAD", "payload": "ok"}],
        },
    ),
    "image": template(header("image", IMAGE)),
    "video": template(header("video", {"id": "1166846181421424"})),
    "document": template(header("document", {"id": "1376223850470843", "filename": "order-71.pdf"})),
    "location": template(
        header("location", {"latitude": "52.52", "longitude": "13.405", "name": "Bakery", "address": "Torstr. 1"})
    ),
    "product": template(header("product", PRODUCT), {"type": "button", "sub_type": "spm", "index": 0}),
    "buttons": template(
        body("Ada"),
        button("quick_reply", {"type": "payload", "payload": "late"}, index="0"),
        button("quick_reply", {"type": "payload", "payload": "fine"}, index="1"),
        button("url", {"type": "text", "text": "orders/71?from=wa"}, index=2),
        button("copy_code", {"type": "coupon_code", "coupon_code": "CRUMB10"}, index=3),
    ),
    "one-time password": template(body("604213"), button("url", {"type": "text", "text": "604213"}, index="0")),
    "flow": template(button("flow", action({"flow_token": "order-71", "flow_action_data": {"days": ["fri"]}}))),
    "flow as it is": template({"type": "button", "sub_type": "flow", "index": 0}),
    "catalog": template(body("10"), button("CATALOG", action({"thumbnail_product_retailer_id": "rye-1"}))),
    "products": template(
        button(
            "mpm",
            action(
                {
                    "thumbnail_product_retailer_id": "rye-1",
                    "sections": [
                        {"title": "Rye", "product_items": [{"product_retailer_id": "rye-1"}]},
                        {"title": "Wheat", "product_items": [{"product_retailer_id": "wheat-1"}]},
                    ],
                }
            ),
        )
    ),
    "order details": template(button("order_details", action({"order_details": ORDER_DETAILS}))),
    "order status": template(
        {"type": "order_status", "parameters": [{"type": "order_status", "order_status": ORDER_STATUS}]}
    ),
    "call": template(
        {
            "type": "button",
            "sub_type": "voice_call",
            "parameters": [{"type": "ttl_minutes", "ttl_minutes": "100"}, {"type": "payload", "payload": "order-71"}],
        }
    ),
    "limited offer": template(
        header("image", IMAGE),
        body("Ada"),
        {
            "type": "limited_time_offer",
            "parameters": [
                {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1795780800000}}
            ],
        },
        button("copy_code", {"type": "coupon_code", "coupon_code": "CRUMB10"}),
    ),
    "tap target": template(
        {
            "type": "tap_target_configuration",
            "parameters": [
                {
                    "type": "tap_target_configuration",
                    "tap_target_configuration": [{"url": "https://bakery.example", "title": "Bakery"}],
                }
            ],
        }
    ),
    "media cards": template(
        body("Ada"),
        {
            "type": "carousel",
            "cards": [
                card(
                    index,
                    header("image", IMAGE),
                    body("Rye"),
                    button("quick_reply", {"type": "payload", "payload": f"more-{index}"}, index="0"),
                    button("url", {"type": "text", "text": f"breads/{index}"}, index="1"),
                )
                for index in range(2)
            ],
        },
    ),
    "product cards": template(
        {"type": "carousel", "cards": [card(index, header("product", PRODUCT)) for index in range(3)]}
    ),
}
