"""Interactive messages of every kind. Source: Meta, the page of each kind under "Interactive messages"."""

import re

from app.domain.meta.payloads.carousel import CAROUSEL_ACTION, CTA_URL
from app.domain.meta.payloads.flow import FLOW_ACTION
from app.domain.meta.payloads.interactive_parts import (
    ANY_HEADER,
    BODY,
    FOOTER,
    IMAGE_HEADER,
    LABEL,
    LONG_BODY,
    REPLY_ID,
    TEXT_HEADER,
)
from app.domain.meta.payloads.orders import ORDER_DETAILS, ORDER_STATUS
from app.domain.meta.payloads.products import CATALOG_ACTION, PRODUCT_ACTION, PRODUCT_LIST_ACTION
from app.domain.meta.payloads.rules import NoMoreThan, Unique, title_of_each
from app.domain.meta.payloads.structure import ListOf, Object, OwnLimit
from app.domain.meta.payloads.values import Checker, Choice, Integer, Text
from app.domain.meta.payloads.variants import Variants

REPLY = Object(required={"reply": Object(required={"id": REPLY_ID, "title": LABEL})})
BUTTONS = ListOf(Variants("type", {"reply": REPLY}), 1, 3, rules=(Unique("*.reply.id"), Unique("*.reply.title")))

ROW = Object(
    required={"id": Text(1, 200), "title": Text(1, 24)},
    optional={"description": Text(0, 72)},
)
SECTIONS = ListOf(
    Object(required={"rows": ListOf(ROW, 1, 10)}, optional={"title": Text(1, 24)}),
    1,
    10,
    rules=(NoMoreThan(10, "*.rows.*", "rows"), Unique("*.rows.*.id"), title_of_each("section")),
)

ADDRESS_VALUES = Object(
    optional={"in_pin_code": Text(0, 6), "sg_post_code": Text(0, 6)},
    others=OwnLimit(Text(0, 1024)),
)
ADDRESS = Object(
    required={"country": Text(2, 2, re.compile(r"[A-Z]{2}"), "two capital letters, such as `IN`")},
    optional={
        "values": ADDRESS_VALUES,
        "saved_addresses": ListOf(Object(required={"id": OwnLimit(Text(1, 256)), "value": ADDRESS_VALUES}), 0, 100),
        "validation_errors": Object(others=OwnLimit(Text(0, 1024))),
    },
)
VOICE_CALL = Object(
    optional={"display_text": LABEL, "ttl_minutes": Integer(1, 43200), "payload": Text(1, 512)},
)


def action(name: str, parameters: Checker | None = None) -> Object:
    """Return an action that its name identifies."""
    required: dict[str, Checker] = {"name": Choice(name)}
    return Object(required=required | ({"parameters": parameters} if parameters else {}))


BUTTON_MESSAGE = Object(
    required={"body": BODY, "action": Object(required={"buttons": BUTTONS})},
    optional={"header": ANY_HEADER, "footer": FOOTER},
)
CTA_URL_MESSAGE = Object(
    required={"body": BODY, "action": action("cta_url", CTA_URL)},
    optional={"header": ANY_HEADER, "footer": FOOTER},
)

INTERACTIVE = Variants(
    "type",
    {
        "button": BUTTON_MESSAGE,
        "list": Object(
            required={"body": LONG_BODY, "action": Object(required={"button": LABEL, "sections": SECTIONS})},
            optional={"header": TEXT_HEADER, "footer": FOOTER},
        ),
        "cta_url": CTA_URL_MESSAGE,
        "flow": Object(
            required={"body": BODY, "action": FLOW_ACTION},
            optional={"header": ANY_HEADER, "footer": FOOTER},
        ),
        "product": Object(
            required={"action": PRODUCT_ACTION},
            optional={"body": BODY, "footer": FOOTER},
        ),
        "product_list": Object(
            required={"header": TEXT_HEADER, "body": BODY, "action": PRODUCT_LIST_ACTION},
            optional={"footer": FOOTER},
        ),
        "catalog_message": Object(
            required={"body": BODY, "action": CATALOG_ACTION},
            optional={"footer": FOOTER},
        ),
        "location_request_message": Object(
            required={"body": BODY, "action": action("send_location")},
        ),
        "address_message": Object(
            required={"body": BODY, "action": action("address_message", ADDRESS)},
            optional={"header": TEXT_HEADER, "footer": FOOTER},
        ),
        "call_permission_request": Object(
            required={"action": action("call_permission_request")},
            optional={"body": BODY},
        ),
        "voice_call": Object(
            required={
                "body": BODY,
                "action": Object(required={"name": Choice("voice_call")}, optional={"parameters": VOICE_CALL}),
            },
            optional={"footer": FOOTER},
        ),
        "request_contact_info": Object(
            required={"body": BODY, "action": action("request_contact_info")},
        ),
        "carousel": Object(
            required={"body": BODY, "action": CAROUSEL_ACTION},
        ),
        "order_details": Object(
            required={"body": BODY, "action": action("review_and_pay", ORDER_DETAILS)},
            optional={"header": IMAGE_HEADER, "footer": FOOTER},
        ),
        "order_status": Object(
            required={"body": BODY, "action": action("review_order", ORDER_STATUS)},
            optional={"footer": FOOTER},
        ),
    },
)
