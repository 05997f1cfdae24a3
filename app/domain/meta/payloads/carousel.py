"""Carousels in interactive messages. Source: Meta, "Interactive media carousel", "Interactive product carousel"."""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, warning
from app.domain.meta.payloads.interactive_parts import BUTTON_URL, LABEL, REPLY_ID
from app.domain.meta.payloads.media import header_media
from app.domain.meta.payloads.products import CATALOG_ID, RETAILER_ID
from app.domain.meta.payloads.rules import Condition, ExactlyOne, Same, Unique
from app.domain.meta.payloads.structure import ListOf, Object, members
from app.domain.meta.payloads.values import Choice, Integer, Text
from app.domain.meta.payloads.variants import Variants

MAX_LINE_BREAKS = 2


def _host_is_a_name(link: dict[str, Any]) -> Findings:
    url = link.get("url")
    if isinstance(url, str) and _HOST_IS_AN_ADDRESS.match(url):
        yield warning(
            "has an IP address as its host, which WhatsApp shows with a warning", "use a host name", path=("url",)
        )


_HOST_IS_AN_ADDRESS = re.compile(r"https?://(\[|[0-9]{1,3}(\.[0-9]{1,3}){3}([:/?#]|$))", re.ASCII | re.IGNORECASE)

CTA_URL = Object(
    required={"display_text": LABEL, "url": BUTTON_URL},
    rules=(Condition("the host of `url` is a name (a warning)", _host_is_a_name),),
)
QUICK_REPLY = Variants(
    "type",
    {"quick_reply": Object(required={"quick_reply": Object(required={"id": REPLY_ID, "title": LABEL})})},
)


def _few_lines(body: dict[str, Any]) -> Findings:
    text = body.get("text")
    if isinstance(text, str) and text.count("\n") > MAX_LINE_BREAKS:
        yield Finding(
            f"must have at most {MAX_LINE_BREAKS} line breaks; it has {text.count(chr(10))}", path=("text",)
        )


def _link_is_named(action: dict[str, Any]) -> Findings:
    if action.get("parameters") is not None and action.get("name") is None:
        yield Finding("is required with `parameters`", "`cta_url`", path=("name",))


MEDIA_CARD = Object(
    required={
        "header": Variants(
            "type",
            {
                "image": Object(required={"image": header_media()}),
                "video": Object(required={"video": header_media()}),
            },
        ),
        "action": Object(
            optional={
                "name": Choice("cta_url"),
                "parameters": CTA_URL,
                "buttons": ListOf(
                    QUICK_REPLY, 1, 3, rules=(Unique("*.quick_reply.id"), Unique("*.quick_reply.title"))
                ),
            },
            rules=(
                ExactlyOne("parameters", "buttons"),
                Condition("`name` is given with `parameters`", _link_is_named),
            ),
        ),
    },
    optional={
        "body": Object(
            required={"text": Text(1, 160)},
            rules=(Condition(f"at most {MAX_LINE_BREAKS} line breaks", _few_lines),),
        ),
    },
)
PRODUCT_CARD = Object(
    required={"action": Object(required={"product_retailer_id": RETAILER_ID, "catalog_id": CATALOG_ID})},
)

CARD = Variants(
    "type",
    {"cta_url": MEDIA_CARD, "product": PRODUCT_CARD},
    common=Object(required={"card_index": Integer(0, 9)}),
    default="cta_url",
)


def _alike(cards: object) -> Findings:
    """Compare what each card has with what the first has."""
    forms = [(path, tuple(_form(card))) for path, card in members(cards, "*")]
    for path, form in forms:
        if form != forms[0][1]:
            yield Finding("must have buttons of the same kind and number as the first card", path=path)


def _form(card: object) -> Iterator[str]:
    """Yield what makes two cards alike."""
    yield "product" if any(True for _ in members(card, "action", "product_retailer_id")) else "media"
    yield from ("quick_reply" for _ in members(card, "action", "buttons", "*"))


CAROUSEL_ACTION = Object(
    required={
        "cards": ListOf(
            CARD,
            2,
            10,
            rules=(
                Unique("*.card_index"),
                Same("*.header.type"),
                Same("*.action.catalog_id"),
                Condition("the cards are all products or all media, with buttons of one kind and number", _alike),
            ),
        ),
    },
)
