"""Check a message as Graph does before it accepts one: the envelope, and the kinds that are not interactive."""

import re
from collections.abc import Callable

from app.graph.fake.check_interactive import check_interactive
from app.graph.fake.check_media import MEDIA_KEYS, check_media
from app.graph.fake.check_template import check_template
from app.graph.fake.refusals import refuse
from app.graph.fake.values import (
    Json,
    maybe_text,
    of_choice,
    of_number,
    of_object,
    of_objects,
    of_text,
    of_truth,
    only,
    present,
    wrong,
)

ENVELOPE = {
    *("messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"),
    *("recipient_identity_key_hash", "category", "ttl_seconds", "direct_send_config"),
}
MARKETING_ONLY = {"message_activity_sharing", "product_policy"}
PHONE = re.compile(r"\+?[1-9]\d{4,14}")
USER_ID = re.compile(r"[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}")
GROUP_ID = re.compile(r"[A-Za-z0-9+/=_-]{16,256}")
RECIPIENT_TYPES = {"individual", "group"}
DIRECT_TTL = {"utility": 43200, "authentication": 900}
"""The categories that Direct Send makes a template of, with the most seconds that Meta tries to deliver each."""

BLANKS = str.maketrans("", "", " -().")


def check_message(body: Json, endpoint: str) -> str:
    """Return the kind of a message that Graph would accept; raise `Refused` for another."""
    if body.get("messaging_product") != "whatsapp":
        raise refuse("invalid_parameter", "The parameter messaging_product is required and must be 'whatsapp'.")
    kind = of_choice(body, "type", "", KINDS) if "type" in body else "text"
    if endpoint == "marketing_messages" and kind != "template":
        raise refuse("invalid_parameter", "Message must be a template message.")
    allowed = ENVELOPE | {kind} | (MARKETING_ONLY if endpoint == "marketing_messages" else set())
    only(body, "", allowed)
    _check_envelope(body, kind)
    KINDS[kind](body)
    return kind


def digits_of(to: str) -> str | None:
    """Return the digits of a phone number as Graph reads it; None if it is none."""
    bare = to.translate(BLANKS)
    return bare.removeprefix("+") if PHONE.fullmatch(bare) else None


def _check_envelope(body: Json, kind: str) -> None:
    is_group = "recipient_type" in body and of_choice(body, "recipient_type", "", RECIPIENT_TYPES) == "group"
    if "to" in body:
        to = of_text(body, "to", "", 256)
        if not (GROUP_ID.fullmatch(to) if is_group else digits_of(to)):
            raise refuse("invalid_parameter", "Param to must be a valid WhatsApp id, phone number or group id.")
    elif not USER_ID.fullmatch(of_text(body, "recipient", "", 200)):
        raise wrong("", "recipient", "must be a business-scoped user id")
    if kind == "pin" and not is_group:
        raise wrong("", "type", "pin needs recipient_type group")
    maybe_text(body, "biz_opaque_callback_data", "", 512)
    if "context" in body:
        of_text(of_object(body, "context", allowed={"message_id"}), "message_id", "context", 1024)
    if "category" in body:
        _check_direct_send(body, kind)
    elif "ttl_seconds" in body or "direct_send_config" in body:
        raise refuse("invalid_parameter", "ttl_seconds and direct_send_config need a category.")


def _check_direct_send(body: Json, kind: str) -> None:
    category = of_choice(body, "category", "", {"service", *DIRECT_TTL})
    if kind not in ("text", "interactive"):
        raise refuse("invalid_parameter", "category is supported on text and interactive messages only.")
    if "ttl_seconds" in body:
        if category not in DIRECT_TTL:
            raise refuse("invalid_parameter", "ttl_seconds is not supported for the category service.")
        of_number(body, "ttl_seconds", "", 30, DIRECT_TTL[category])
    if category in DIRECT_TTL and kind == "text":
        of_text(of_object(body, "text"), "body", "text", 1024)
    if category in DIRECT_TTL and kind == "interactive":
        of_choice(of_object(body, "interactive"), "type", "interactive", {"button", "cta_url"})


def _check_text(body: Json) -> None:
    text = of_object(body, "text", allowed={"body", "preview_url"})
    of_text(text, "body", "text", 4096)
    of_truth(text, "preview_url", "text")


def _check_location(body: Json) -> None:
    place = of_object(body, "location", allowed={"latitude", "longitude", "name", "address"})
    of_number(place, "latitude", "location", -90, 90)
    of_number(place, "longitude", "location", -180, 180)


def _check_contacts(body: Json) -> None:
    for path, card in of_objects(body, "contacts", "", 1, 257):
        only(card, path, {"name", "addresses", "birthday", "emails", "org", "phones", "urls"})
        of_text(of_object(card, "name", path), "formatted_name", path, 1024)


def _check_reaction(body: Json) -> None:
    reaction = of_object(body, "reaction", allowed={"message_id", "emoji"})
    of_text(reaction, "message_id", "reaction", 1024)
    if not isinstance(present(reaction, "emoji", "reaction"), str) or re.search(r"[A-Za-z]", reaction["emoji"]):
        raise wrong("reaction", "emoji", "must be an emoji")


def _check_pin(body: Json) -> None:
    pin = of_object(body, "pin", allowed={"type", "message_id", "expiration_days"})
    of_text(pin, "message_id", "pin", 1024)
    if of_choice(pin, "type", "pin", {"pin", "unpin"}) == "pin":
        of_number(pin, "expiration_days", "pin", 1, 30)


def _media(kind: str) -> Callable[[Json], None]:
    return lambda body: check_media(body, kind)


KINDS: dict[str, Callable[[Json], None]] = {
    "text": _check_text,
    **{kind: _media(kind) for kind in MEDIA_KEYS},
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "pin": _check_pin,
    "template": check_template,
    "interactive": check_interactive,
}
