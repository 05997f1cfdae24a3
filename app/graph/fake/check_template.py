"""Check the template of a message: its frame and the parameters of its components.

Whether the template exists and how many parameters it wants is not checked here, but where templates are kept.
"""

import re
from typing import Any

from app.graph.fake.check_media import check_media
from app.graph.fake.check_order import check_order_of_button, check_order_of_component
from app.graph.fake.refusals import refuse
from app.graph.fake.values import Json, of_choice, of_number, of_object, of_objects, of_text, only, present, wrong

COMPONENTS = {
    *("header", "body", "button", "limited_time_offer", "carousel", "order_status", "tap_target_configuration"),
}
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?")
BAD_SPACE = re.compile(r"[\n\t]| {5,}")
MEDIA = ("image", "video", "document", "gif")
SUB_TYPES = {
    *("quick_reply", "url", "copy_code", "flow", "catalog", "mpm", "spm", "order_details", "voice_call"),
}


def check_template(body: Json) -> None:
    """Check the template of a message."""
    template = of_object(body, "template", allowed={"name", "language", "components", "namespace"})
    if not NAME.fullmatch(of_text(template, "name", "template", 512)):
        raise wrong("template", "name", "must be lower-case letters, digits and underscores")
    language = of_object(template, "language", "template", {"code", "policy"})
    if not LANGUAGE.fullmatch(of_text(language, "code", "template['language']", 20)):
        raise wrong("template['language']", "code", "must be a locale")
    if template.get("components"):
        _check_components(template, "template", COMPONENTS)


def _check_components(parent: Json, path: str, allowed: set[str]) -> None:
    seen: set[str] = set()
    for where, component in of_objects(parent, "components", path, 1, 20):
        kind = of_choice(component, "type", where, allowed)
        key = f"{kind}:{component.get('index')}" if kind == "button" else kind
        if key in seen:
            raise wrong(where, "type", "is given twice")
        seen.add(key)
        _check_component(component, kind, where)


def _check_component(component: Json, kind: str, path: str) -> None:
    match kind:
        case "button":
            _check_button(component, path)
        case "carousel":
            only(component, path, {"type", "cards"})
            for where, card in of_objects(component, "cards", path, 2, 10):
                of_number(card, "card_index", where, 0, 9)
                _check_components(card, where, {"header", "body", "button"})
        case "order_status":
            only(component, path, {"type", "parameters"})
            check_order_of_component(component, path)
        case _:
            only(component, path, {"type", "parameters"})
            _check_parameters(component, path)


def _check_button(component: Json, path: str) -> None:
    only(component, path, {"type", "sub_type", "index", "parameters"})
    sub_type = of_choice(component, "sub_type", path, SUB_TYPES)
    if sub_type != "voice_call":
        of_number(component, "index", path, 0, 9)
    if sub_type == "order_details":
        check_order_of_button(component, path)
    elif component.get("parameters"):
        _check_parameters(component, path)


def _check_parameters(component: Json, path: str) -> None:
    names = [_check_parameter(value, where) for where, value in of_objects(component, "parameters", path, 1, 100)]
    if None in names and any(names):
        raise wrong(path, "parameters", "must all have a parameter_name, or none")


def _check_parameter(parameter: Json, path: str) -> Any:
    kind = of_text(parameter, "type", path, 100).lower()
    match kind:
        case "text":
            if BAD_SPACE.search(of_text(parameter, "text", path, 32768)):
                details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
                raise refuse("parameter_format", details)
        case "currency":
            money = of_object(parameter, "currency", path, {"fallback_value", "code", "amount_1000"})
            of_text(money, "fallback_value", path, 1024)
            of_text(money, "code", path, 3)
        case "date_time":
            of_text(of_object(parameter, "date_time", path), "fallback_value", path, 1024)
        case "payload" | "coupon_code":
            of_text(parameter, kind, path, 1024)
        case _ if kind in MEDIA:
            check_media(parameter, kind, path, {"filename"})
        case _:
            present(parameter, kind, path)
    return parameter.get("parameter_name")
