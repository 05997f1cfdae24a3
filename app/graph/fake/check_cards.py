"""Check the cards of a carousel: all with media and buttons, or all of one catalog's products."""

from app.graph.fake.check_media import check_link, check_media
from app.graph.fake.refusals import refuse
from app.graph.fake.values import Json, of_choice, of_number, of_object, of_objects, of_text, only, wrong

CARD = {"card_index", "type", "header", "body", "action"}


def check_cards(action: Json, path: str) -> None:
    """Check the cards of an interactive carousel."""
    cards = of_objects(action, "cards", path, 2, 10)
    indexes = [of_number(card, "card_index", where, 0, 9) for where, card in cards]
    if len(indexes) != len(set(indexes)):
        raise refuse("invalid_value", "Duplicated card_index found.")
    _check_alike(path, [_shape_of_card(card, where) for where, card in cards])


def _check_alike(path: str, shapes: list[tuple[object, ...]]) -> None:
    if len(set(shapes)) > 1:
        raise wrong(path, "cards", "must all have the same type, header, kind and number of buttons, and catalog")


def _shape_of_card(card: Json, path: str) -> tuple[object, ...]:
    """Check a card; return what must be the same on each."""
    only(card, path, CARD)
    kind = of_choice(card, "type", path, {"cta_url", "product"}) if "type" in card else "cta_url"
    action, where = of_object(card, "action", path), f"{path}['action']"
    if kind == "product":
        of_text(action, "product_retailer_id", where, 1024)
        return kind, of_text(action, "catalog_id", where, 1024)
    header = of_choice(of_object(card, "header", path), "type", f"{path}['header']", {"image", "video"})
    check_media(card["header"], header, f"{path}['header']", set())
    if "body" in card:
        text = of_text(of_object(card, "body", path, {"text"}), "text", f"{path}['body']", 160)
        if text.count("\n") > 2:
            raise wrong(path, "body", "must have at most 2 line breaks")
    return kind, header, _buttons_of_card(action, where)


def _buttons_of_card(action: Json, path: str) -> int:
    """Check the buttons of a card; return how many there are, or 0 for a link."""
    if "buttons" not in action:
        of_choice(action, "name", path, {"cta_url"})
        parameters = of_object(action, "parameters", path)
        of_text(parameters, "display_text", path, 20)
        check_link(parameters, "url", path, 2000)
        return 0
    buttons = of_objects(action, "buttons", path, 1, 3)
    for where, button in buttons:
        of_choice(button, "type", where, {"quick_reply"})
        reply = of_object(button, "quick_reply", where, {"id", "title"})
        of_text(reply, "id", where, 256)
        of_text(reply, "title", where, 20)
    return len(buttons)
