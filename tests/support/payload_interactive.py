"""An interactive message of every kind, without its `type`."""

from typing import Any

URL_ACTION = {
    "name": "cta_url",
    "parameters": {"display_text": "Our breads", "url": "https://bakery.example/breads?day=fri"},
}
ORDER_DETAILS: dict[str, Any] = {
    "reference_id": "order-71",
    "type": "physical-goods",
    "payment_type": "upi",
    "payment_configuration": "bakery-upi",
    "currency": "INR",
    "total_amount": {"value": 2350, "offset": 100},
    "order": {
        "status": "pending",
        "catalog_id": "1174529863",
        "expiration": {"timestamp": "4102488000", "description": "The oven waits until noon"},
        "items": [
            {
                "retailer_id": "rye-1",
                "name": "Rye, 1 kg",
                "amount": {"value": 900, "offset": 100},
                "sale_amount": {"value": 800, "offset": 100},
                "quantity": 2,
            },
            {"name": "Pretzel", "amount": {"value": 200, "offset": 100}, "quantity": 3},
        ],
        "subtotal": {"value": 2200, "offset": 100},
        "tax": {"value": 100, "offset": 100, "description": "7 %"},
        "shipping": {"value": 150, "offset": 100, "description": "By bike"},
        "discount": {"value": 100, "offset": 100, "description": "Regulars", "discount_program_name": "CRUMB"},
    },
}
ORDER_STATUS = {
    "reference_id": "order-71",
    "order": {"status": "partially-shipped", "description": "The pretzels follow"},
    "payment": {"status": "captured", "timestamp": 1795780000},
}


def _card(index: int, action: dict[str, Any]) -> dict[str, Any]:
    return {
        "card_index": index,
        "header": {"type": "image", "image": {"link": f"https://cdn.bakery.example/{index}.jpg"}},
        "body": {"text": f"*Bread {index}*\n\nStill warm"},
        "action": action,
    }


def _replies(index: int) -> dict[str, Any]:
    return {
        "buttons": [
            {"type": "quick_reply", "quick_reply": {"id": f"more-{index}", "title": "More"}},
            {"type": "quick_reply", "quick_reply": {"id": f"buy-{index}", "title": "Buy"}},
        ]
    }


INTERACTIVE: dict[str, dict[str, Any]] = {
    "button": {
        "header": {"type": "document", "document": {"id": "1376223850470843", "filename": "order-71.pdf"}},
        "body": {"text": "Shall we slice it?"},
        "footer": {"text": "Krume GmbH"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "yes", "title": "Yes 🍞"}},
                {"type": "reply", "reply": {"id": "no", "title": "No"}},
            ]
        },
    },
    "list": {
        "header": {"type": "text", "text": "Today"},
        "body": {"text": "Which bread?"},
        "footer": {"text": "Until sold out"},
        "action": {
            "button": "Breads",
            "sections": [
                {"title": "Rye", "rows": [{"id": "rye-1", "title": "1 kg", "description": "Dark crust"}]},
                {"title": "Wheat", "rows": [{"id": "wheat-1", "title": "Baguette"}]},
            ],
        },
    },
    "list of one section": {
        "body": {"text": "When?"},
        "action": {"button": "Times", "sections": [{"rows": [{"id": "9", "title": "At 9"}]}]},
    },
    "cta_url": {
        "header": {"type": "video", "video": {"link": "https://cdn.bakery.example/oven.mp4"}},
        "body": {"text": "See what is in the oven."},
        "footer": {"text": "Krume GmbH"},
        "action": URL_ACTION,
    },
    "flow": {
        "header": {"type": "text", "text": "Pick-up"},
        "body": {"text": "Choose a time."},
        "footer": {"text": "Takes a minute"},
        "action": {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_id": "1297420648210942",
                "flow_cta": "Choose",
                "flow_token": "order-71",
                "mode": "published",
                "flow_action": "navigate",
                "flow_action_payload": {"screen": "TIMES", "data": {"order": "71", "pieces": 5, "days": ["fri"]}},
            },
        },
    },
    "flow by name": {
        "body": {"text": "Choose a time."},
        "action": {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_name": "pick_up",
                "flow_cta": "Choose",
                "flow_action": "data_exchange",
            },
        },
    },
    "product": {
        "body": {"text": "The one you liked"},
        "footer": {"text": "Krume GmbH"},
        "action": {"catalog_id": "1174529863", "product_retailer_id": "rye-1"},
    },
    "product_list": {
        "header": {"type": "text", "text": "Fresh"},
        "body": {"text": "From the oven"},
        "footer": {"text": "Krume GmbH"},
        "action": {
            "catalog_id": "1174529863",
            "sections": [
                {"title": "Rye", "product_items": [{"product_retailer_id": "rye-1"}]},
                {"title": "Wheat", "product_items": [{"product_retailer_id": "wheat-1"}]},
            ],
        },
    },
    "catalog_message": {
        "body": {"text": "All our breads"},
        "footer": {"text": "Krume GmbH"},
        "action": {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "rye-1"}},
    },
    "location_request_message": {
        "body": {"text": "Where shall we bring it?"},
        "action": {"name": "send_location"},
    },
    "address_message": {
        "body": {"text": "Where shall we bring it?"},
        "footer": {"text": "Krume GmbH"},
        "action": {
            "name": "address_message",
            "parameters": {
                "country": "IN",
                "values": {
                    "name": "Asha",
                    "phone_number": "+919812345678",
                    "in_pin_code": "560001",
                    "floor_number": "2",
                },
                "saved_addresses": [
                    {"id": "home", "value": {"name": "Asha", "city": "Bengaluru", "in_pin_code": "560001"}}
                ],
                "validation_errors": {"in_pin_code": "We do not bake there yet."},
            },
        },
    },
    "call_permission_request": {
        "body": {"text": "May we call about the order?"},
        "action": {"name": "call_permission_request"},
    },
    "voice_call": {
        "body": {"text": "Call the bakery"},
        "action": {
            "name": "voice_call",
            "parameters": {"display_text": "Call now", "ttl_minutes": 100, "payload": "order-71"},
        },
    },
    "request_contact_info": {
        "body": {"text": "May we have your number?"},
        "action": {"name": "request_contact_info"},
    },
    "carousel": {
        "body": {"text": "Three breads"},
        "action": {"cards": [{**_card(index, URL_ACTION), "type": "cta_url"} for index in range(3)]},
    },
    "carousel of replies": {
        "body": {"text": "Two breads"},
        "action": {"cards": [_card(index, _replies(index)) for index in range(2)]},
    },
    "carousel of products": {
        "body": {"text": "Two breads"},
        "action": {
            "cards": [
                {
                    "card_index": index,
                    "type": "product",
                    "action": {"product_retailer_id": f"rye-{index}", "catalog_id": "1174529863"},
                }
                for index in range(2)
            ]
        },
    },
    "order_details": {
        "header": {"type": "image", "image": {"link": "https://cdn.bakery.example/rye.jpg"}},
        "body": {"text": "Your order"},
        "footer": {"text": "Krume GmbH"},
        "action": {"name": "review_and_pay", "parameters": ORDER_DETAILS},
    },
    "order_status": {
        "body": {"text": "On its way"},
        "action": {"name": "review_order", "parameters": ORDER_STATUS},
    },
}
