"""Checks an interactive message: header, body, footer and the action of each kind."""

from collections.abc import Callable
from typing import Any

from app.graph.fake.check_cards import check_cards
from app.graph.fake.check_media import check_link, check_media
from app.graph.fake.check_order import check_order_details, check_order_status
from app.graph.fake.refusals import refuse
from app.graph.fake.values import Json, of_choice, of_object, of_objects, of_text, only, wrong

ALL_HEADERS = ("text", "image", "video", "document")
HEADERS = {
    "button": ALL_HEADERS,
    "cta_url": ALL_HEADERS,
    "flow": ALL_HEADERS,
    "order_details": ("image",),
} | dict.fromkeys(("list", "product_list", "address_message", "voice_call"), ("text",))
NO_BODY_NEEDED = ("product", "call_permission_request")
PATH, ACTION = "interactive", "interactive['action']"


def check_interactive(body: Json) -> None:
    """Check an interactive message."""
    message = of_object(body, "interactive", allowed={"type", "header", "body", "footer", "action"})
    kind = of_choice(message, "type", PATH, ACTIONS)
    if "header" in message:
        _check_header(message, kind, is_direct="category" in body)
    if "body" in message or kind not in NO_BODY_NEEDED:
        text = of_object(message, "body", PATH, {"text"})
        of_text(text, "text", f"{PATH}['body']", 4096 if kind == "list" else 1024)
    if "footer" in message:
        of_text(of_object(message, "footer", PATH, {"text"}), "text", f"{PATH}['footer']", 60)
    ACTIONS[kind](of_object(message, "action", PATH), body)


def _check_header(message: Json, kind: str, *, is_direct: bool) -> None:
    header = of_object(message, "header", PATH)
    header_type = of_choice(header, "type", f"{PATH}['header']", HEADERS.get(kind, ()))
    only(header, f"{PATH}['header']", {"type", header_type, "sub_text"})
    if header_type == "text":
        of_text(header, "text", f"{PATH}['header']", 60)
    else:
        extra = {"filename"} if header_type == "document" else set[str]()
        check_media(header, header_type, f"{PATH}['header']", extra, may_have_both=is_direct)


def _check_buttons(action: Json, body: Json) -> None:
    """Check reply buttons; Direct Send (`category`) also takes up to two links before them."""
    only(action, ACTION, {"buttons"})
    seen: list[Any] = []
    for path, button in of_objects(action, "buttons", ACTION, 1, 10 if "category" in body else 3):
        if of_choice(button, "type", path, {"reply", "cta_url"} if "category" in body else {"reply"}) == "reply":
            reply = of_object(button, "reply", path, {"id", "title"})
            reply_id, title = of_text(reply, "id", path, 256), of_text(reply, "title", path, 20)
            seen += [reply_id, (title,)]  # a tuple, because an id may equal a title
    if len(seen) != len(set(seen)):
        raise refuse("invalid_value", "Duplicated title or reply id found for button.")


def _check_list(action: Json, _: Json) -> None:
    only(action, ACTION, {"button", "sections"})
    of_text(action, "button", ACTION, 20)
    sections = of_objects(action, "sections", ACTION, 1, 10)
    ids = []
    for path, section in sections:
        if "title" in section or len(sections) > 1:
            of_text(section, "title", path, 24)
        ids += [_row_id(row, where) for where, row in of_objects(section, "rows", path, 1, 10)]
    if len(ids) > 10:
        raise wrong(ACTION, "sections", "must have at most 10 rows in total")
    if len(ids) != len(set(ids)):
        raise refuse("invalid_value", "Duplicated row id found.")


def _row_id(row: Json, path: str) -> str:
    only(row, path, {"id", "title", "description"})
    of_text(row, "title", path, 24)
    if row.get("description"):
        of_text(row, "description", path, 72)
    return of_text(row, "id", path, 200)


def _parameters(action: Json, name: str) -> Json:
    of_choice(action, "name", ACTION, {name})
    return of_object(action, "parameters", ACTION)


def _check_link(action: Json, _: Json) -> None:
    parameters = _parameters(action, "cta_url")
    of_text(parameters, "display_text", ACTION, 20)
    check_link(parameters, "url", ACTION, 2000)


def _check_flow(action: Json, _: Json) -> None:
    parameters = _parameters(action, "flow")
    of_choice(parameters, "flow_message_version", ACTION, {"3"})
    of_text(parameters, "flow_cta", ACTION, 30)
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise refuse("missing", "Exactly one of flow_id and flow_name is required.")


def _check_product(action: Json, _: Json) -> None:
    of_text(action, "catalog_id", ACTION, 1024)
    of_text(action, "product_retailer_id", ACTION, 1024)


def _check_products(action: Json, _: Json) -> None:
    of_text(action, "catalog_id", ACTION, 1024)
    items = [
        of_text(item, "product_retailer_id", where, 1024)
        for path, section in of_objects(action, "sections", ACTION, 1, 10)
        for where, item in of_objects(section, "product_items", path, 1, 30)
    ]
    if len(items) > 30:
        raise wrong(ACTION, "sections", "must have at most 30 products in total")


def _check_cards(action: Json, _: Json) -> None:
    check_cards(action, ACTION)


def _check_order_details(action: Json, _: Json) -> None:
    check_order_details(_parameters(action, "review_and_pay"), f"{ACTION}['parameters']")


def _check_order_status(action: Json, _: Json) -> None:
    check_order_status(_parameters(action, "review_order"), f"{ACTION}['parameters']")


def _action_named(name: str) -> Callable[[Json, Json], None]:
    def check(action: Json, _: Json) -> None:
        of_choice(action, "name", ACTION, {name})

    return check


ACTIONS: dict[str, Callable[[Json, Json], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_link,
    "flow": _check_flow,
    "product": _check_product,
    "product_list": _check_products,
    "catalog_message": _action_named("catalog_message"),
    "location_request_message": _action_named("send_location"),
    "address_message": _action_named("address_message"),
    "call_permission_request": _action_named("call_permission_request"),
    "voice_call": _action_named("voice_call"),
    "request_contact_info": _action_named("request_contact_info"),
    "carousel": _check_cards,
    "order_details": _check_order_details,
    "order_status": _check_order_status,
}
