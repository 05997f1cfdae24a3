"""Buttons of a template that have a variable. Source: Meta, "Components", and the page of each kind of template."""

import re
from collections.abc import Mapping

from app.domain.meta.payloads.orders import ORDER_DETAILS
from app.domain.meta.payloads.products import PRODUCT_SECTIONS, RETAILER_ID
from app.domain.meta.payloads.rules import AlwaysWarn, Unique
from app.domain.meta.payloads.structure import ANYTHING, ListOf, Object, OwnLimit
from app.domain.meta.payloads.values import Checker, Integer, Text
from app.domain.meta.payloads.variants import Variants

INDEX = Integer(0, 9, hint="the position of the button in the template, from 0")
URL_END = Text(1, 2000, re.compile(r"\S+"), "the end of the URL without blanks: percent-encode them, %20")
COUPON_CODE = Text(1, 20, re.compile(r"[A-Za-z0-9]+"), "letters and digits without accents")
PAYLOAD = OwnLimit(Text(1, 1024, warn_above=256))


def button(content: Mapping[str, Checker], *, min: int = 1, max: int = 1) -> Object:  # noqa: A002 - as in the tables
    """Return a button with parameters of these types: `{"type": "payload", "payload": …}`."""
    cases = {kind: Object(required={kind: checker}) for kind, checker in content.items()}
    parameters = ListOf(Variants("type", cases, any_case=True), min, max, rules=(Unique("*.type"),))
    fields: dict[str, Checker] = {"parameters": parameters}
    return Object(
        required={"index": INDEX} | (fields if min else {}),
        optional={} if min else fields,
    )


def action(required: Mapping[str, Checker], optional: Mapping[str, Checker] | None = None) -> dict[str, Checker]:
    """Return the content of a parameter of type `action`."""
    return {"action": Object(required=required, optional=optional or {})}


FLOW = action({}, {"flow_token": OwnLimit(Text(1, 200)), "flow_action_data": Object(others=ANYTHING)})
CATALOG = action({}, {"thumbnail_product_retailer_id": RETAILER_ID})
PRODUCTS = action({"thumbnail_product_retailer_id": RETAILER_ID, "sections": PRODUCT_SECTIONS})
VOICE_CALL = button({"ttl_minutes": Integer(1, 43200), "payload": Text(1, 512)}, min=0, max=2)

WITHOUT_VARIABLE = Object(
    optional={"index": INDEX, "parameters": ANYTHING},
    rules=(AlwaysWarn("has no variable: Meta refuses a component for it"),),
)

BUTTON = Variants(
    "sub_type",
    {
        "quick_reply": button({"payload": PAYLOAD}),
        "url": button({"text": URL_END, "payload": URL_END}),
        "copy_code": button({"coupon_code": COUPON_CODE}),
        "flow": button(FLOW, min=0),
        "catalog": button(CATALOG, min=0),
        "mpm": button(PRODUCTS),
        "spm": Object(required={"index": INDEX}, optional={"parameters": ListOf(ANYTHING, 0, 0)}),
        "order_details": button(action({"order_details": ORDER_DETAILS})),
        "voice_call": Object(optional={**VOICE_CALL.required, **VOICE_CALL.optional}),
        "phone_number": WITHOUT_VARIABLE,
        "request_contact_info": WITHOUT_VARIABLE,
        "call_permission_request": WITHOUT_VARIABLE,
    },
    any_case=True,
)
