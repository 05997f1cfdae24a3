"""Check an order that a customer pays in the chat, and the status of one. Meta refuses sums that do not add up.

Both are in an interactive message, in a button of a template (`order_details`) or in a part of it (`order_status`).
"""

import re
from collections.abc import Iterator

from app.graph.fake.values import Json, of_choice, of_number, of_object, of_objects, of_text, wrong

REFERENCE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
CURRENCY = re.compile(r"[A-Z]{3}")
GOODS = {"digital-goods", "physical-goods"}
MIN_SECONDS_TO_PAY = 300
STATUSES = {"pending", "processing", "partially-shipped", "shipped", "completed", "canceled"}


def check_order_details(parameters: Json, path: str) -> None:
    """Check the parameters of `review_and_pay`."""
    _check_reference(parameters, path)
    of_choice(parameters, "type", path, GOODS)
    if not CURRENCY.fullmatch(of_text(parameters, "currency", path, 3)):
        raise wrong(path, "currency", "must be a currency of ISO 4217")
    total, order = _money(parameters, "total_amount", path), of_object(parameters, "order", path)
    where = f"{path}['order']"
    of_choice(order, "status", where, {"pending"})
    if order.get("expiration") is not None:
        _check_expiration(
            of_object(order, "expiration", where, {"timestamp", "description"}), f"{where}['expiration']"
        )
    subtotal = _money(order, "subtotal", where)
    if subtotal != sum(_price(item, place) for place, item in of_objects(order, "items", where, 1, 999)):
        raise wrong(where, "subtotal", "must be the sum of the items")
    extra = _money(order, "tax", where) + _maybe_money(order, "shipping", where)
    if total != subtotal + extra - _maybe_money(order, "discount", where):
        raise wrong(path, "total_amount", "must be subtotal + tax + shipping - discount")


def check_order_of_button(button: Json, path: str) -> None:
    """Check the one parameter of a template's button that opens an order."""
    [(where, parameter)] = of_objects(button, "parameters", path, 1, 1)
    of_choice(parameter, "type", where, {"action"})
    action = of_object(parameter, "action", where, {"order_details"})
    check_order_details(
        of_object(action, "order_details", f"{where}['action']"), f"{where}['action']['order_details']"
    )


def check_order_of_component(component: Json, path: str) -> None:
    """Check the one parameter of a template's `order_status`."""
    [(where, parameter)] = of_objects(component, "parameters", path, 1, 1)
    of_choice(parameter, "type", where, {"order_status"})
    check_order_status(of_object(parameter, "order_status", where), f"{where}['order_status']")


def refuse_expired_orders(body: Json, now: float) -> None:
    """Refuse a checked message with an order that its customer has no time to pay."""
    for details in _orders_in(body):
        expiration = details["order"].get("expiration")
        if expiration is not None:
            where = "order['expiration']"
            of_number(expiration, "timestamp", where, now + MIN_SECONDS_TO_PAY, 10**12)


def _orders_in(body: Json) -> Iterator[Json]:
    interactive = body.get("interactive") or {}
    if interactive.get("type") == "order_details":
        yield interactive["action"]["parameters"]
    for component in (body.get("template") or {}).get("components") or ():
        if str(component.get("sub_type")).lower() == "order_details":
            yield component["parameters"][0]["action"]["order_details"]


def check_order_status(parameters: Json, path: str) -> None:
    """Check the parameters of `review_order`."""
    _check_reference(parameters, path)
    order = of_object(parameters, "order", path, {"status", "description"})
    of_choice(order, "status", f"{path}['order']", STATUSES)
    if order.get("description"):
        of_text(order, "description", f"{path}['order']", 120)
    if "payment" in parameters:
        payment = of_object(parameters, "payment", path)
        of_choice(payment, "status", f"{path}['payment']", {"pending", "captured", "failed"})


def _check_reference(parameters: Json, path: str) -> None:
    if not REFERENCE.fullmatch(of_text(parameters, "reference_id", path, 60)):
        raise wrong(path, "reference_id", "must consist of letters, digits, underscores, dots and dashes")


def _check_expiration(expiration: Json, path: str) -> None:
    of_number(expiration, "timestamp", path, 1, 10**12)
    if expiration.get("description"):
        of_text(expiration, "description", path, 120)


def _price(item: Json, path: str) -> float:
    """Return what an item costs in all."""
    of_text(item, "name", path, 60)
    amount, quantity = _money(item, "amount", path), of_number(item, "quantity", path, 1, 10**9)
    return (_money(item, "sale_amount", path) if item.get("sale_amount") else amount) * quantity


def _money(parent: Json, key: str, path: str) -> float:
    money, where = of_object(parent, key, path), f"{path}['{key}']"
    of_number(money, "offset", where, 100, 100)
    return of_number(money, "value", where, 0, 10**12)


def _maybe_money(parent: Json, key: str, path: str) -> float:
    return _money(parent, key, path) if parent.get(key) is not None else 0
