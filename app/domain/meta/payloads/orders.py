"""Orders that a customer pays in the chat (Brazil, India): `order_details` and `order_status`.

Both are used in interactive messages and in templates. Source: Meta, "Orders", "Payments API".
"""

import re
from typing import Any

from app.domain.meta.payloads.findings import Findings, warning
from app.domain.meta.payloads.order_expiry import ExpiryTime
from app.domain.meta.payloads.products import CATALOG_ID, RETAILER_ID
from app.domain.meta.payloads.rules import Condition
from app.domain.meta.payloads.structure import ANYTHING, ListOf, Object, OwnLimit
from app.domain.meta.payloads.values import Checker, Choice, Integer, Text, integer_of

REFERENCE_ID = Text(1, 60, re.compile(r"[A-Za-z0-9_.-]+"), "letters, digits, `_`, `.` and `-`")
CURRENCY = Text(3, 3, re.compile(r"[A-Z]{3}"), "three capital letters of ISO 4217, such as `BRL`")

_MONEY: dict[str, Checker] = {
    "value": Integer(0, hint="the amount times 100, without a point: 12.50 is 1250"),
    "offset": Integer(100, 100),
}
MONEY = Object(required=_MONEY)
MONEY_WITH_DESCRIPTION = Object(required=_MONEY, optional={"description": Text(0, 60)})
DISCOUNT = Object(required=_MONEY, optional={"description": Text(0, 60), "discount_program_name": Text(0, 60)})

ITEM = Object(
    required={"name": Text(1, 60), "amount": MONEY, "quantity": Integer(1)},
    optional={
        "sale_amount": MONEY,
        "retailer_id": RETAILER_ID,
        "country_of_origin": OwnLimit(Text(1, 1024)),
        "importer_name": OwnLimit(Text(1, 1024)),
        "importer_address": ANYTHING,
    },
)

ORDER = Object(
    required={
        "status": Choice("pending"),
        "items": ListOf(ITEM, 1, 999),
        "subtotal": MONEY,
        "tax": MONEY_WITH_DESCRIPTION,
    },
    optional={
        "shipping": MONEY_WITH_DESCRIPTION,
        "discount": DISCOUNT,
        "catalog_id": CATALOG_ID,
        "expiration": Object(
            required={"timestamp": ExpiryTime()},
            optional={"description": Text(0, 120)},
        ),
    },
)


def _adds_up(parameters: dict[str, Any]) -> Findings:
    """Compare the sums, as far as all of their parts can be read. Meta refuses wrong ones (131009)."""
    order = parameters.get("order")
    if not isinstance(order, dict):
        return
    subtotal, goods = _value(order.get("subtotal")), _price_of(order.get("items"))
    if None not in (subtotal, goods) and subtotal != goods:
        yield warning(f"is not the sum of the items, {goods}", path=("order", "subtotal", "value"))
    parts = [_value(order.get(key)) for key in ("subtotal", "tax")]
    parts += [_value(order[key]) for key in ("shipping", "discount") if order.get(key) is not None]
    total = _value(parameters.get("total_amount"))
    known = [part for part in parts if part is not None]
    if total is None or len(known) < len(parts):
        return
    discount = _value(order.get("discount")) or 0
    if total != sum(known) - 2 * discount:
        yield warning(
            f"is not subtotal + tax + shipping - discount, {sum(known) - 2 * discount}",
            path=("total_amount", "value"),
        )


def _value(money: object) -> int | None:
    return integer_of(money.get("value")) if isinstance(money, dict) else None


def _price_of(items: object) -> int | None:
    if not isinstance(items, list):
        return None
    total = 0
    for item in items:
        if not isinstance(item, dict):
            return None
        price = _value(item.get("sale_amount") or item.get("amount"))
        quantity = integer_of(item.get("quantity"))
        if price is None or quantity is None:
            return None
        total += price * quantity
    return total


ORDER_DETAILS = Object(
    required={
        "reference_id": REFERENCE_ID,
        "type": Choice("digital-goods", "physical-goods"),
        "currency": CURRENCY,
        "total_amount": MONEY,
        "order": ORDER,
    },
    optional={
        "payment_type": OwnLimit(Text(1, 256)),
        "payment_configuration": Text(1, 60),
        "payment_settings": OwnLimit(ListOf(Object(required={"type": Text(1, 256)}, others=ANYTHING), 1, 20)),
    },
    rules=(Condition("the sums add up (a warning)", _adds_up),),
)

ORDER_STATUS = Object(
    required={
        "reference_id": REFERENCE_ID,
        "order": Object(
            required={
                "status": Choice("pending", "processing", "partially-shipped", "shipped", "completed", "canceled")
            },
            optional={"description": Text(0, 120)},
        ),
    },
    optional={
        "payment": Object(
            required={"status": Choice("pending", "captured", "failed")},
            optional={"timestamp": Integer(1)},
        ),
    },
)
