"""Check an order that a customer pays in the chat, and the status of one. Meta refuses sums that do not add up."""

import re

from app.graph.fake.values import Json, of_choice, of_number, of_object, of_objects, of_text, wrong

REFERENCE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
CURRENCY = re.compile(r"[A-Z]{3}")
GOODS = {"digital-goods", "physical-goods"}
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
    subtotal = _money(order, "subtotal", where)
    if subtotal != sum(_price(item, place) for place, item in of_objects(order, "items", where, 1, 999)):
        raise wrong(where, "subtotal", "must be the sum of the items")
    extra = _money(order, "tax", where) + _maybe_money(order, "shipping", where)
    if total != subtotal + extra - _maybe_money(order, "discount", where):
        raise wrong(path, "total_amount", "must be subtotal + tax + shipping - discount")


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
