"""Templates: name, language, and components with the values of the variables.

What depends on the template itself, such as the number of its variables, is known to Meta only. Words of a template
may be written in any case, as in Meta's own samples. Source: Meta, "Templates", "Components".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, Path, warning
from app.domain.meta.payloads.orders import ORDER_STATUS
from app.domain.meta.payloads.rules import Condition, NoMoreThan, Unique
from app.domain.meta.payloads.structure import ANYTHING, ListOf, Object, members
from app.domain.meta.payloads.template_buttons import BUTTON
from app.domain.meta.payloads.template_values import CARD_HEADER, HEADER, body, single
from app.domain.meta.payloads.values import Choice, Integer, Text, integer_of
from app.domain.meta.payloads.variants import Variants

MAX_BODY, MAX_BODY_BESIDE_OTHERS, MAX_CARD_BODY = 32768, 1024, 160
FIRST_MILLISECONDS = 10**12

NAME = Text(1, 512, re.compile(r"[a-z0-9_]+"), "lower-case letters, digits and `_`")
LANGUAGE = Text(2, 8, re.compile(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?"), "a language code such as `en` or `pt_BR`")


def _expires_in_milliseconds(offer: dict[str, Any]) -> Findings:
    expiry = integer_of(offer.get("expiration_time_ms"))
    if expiry is not None and 0 < expiry < FIRST_MILLISECONDS:
        yield warning("is a time in the past: Meta counts milliseconds", path=("expiration_time_ms",))


LIMITED_TIME_OFFER = Object(
    required={"expiration_time_ms": Integer(1, hint="milliseconds since 1970")},
    rules=(Condition("`expiration_time_ms` is in milliseconds (a warning)", _expires_in_milliseconds),),
)


def _consecutive(cards: object) -> Findings:
    indexes = [integer_of(index) for _, index in members(cards, "*", "card_index")]
    if indexes != list(range(len(indexes))):
        yield warning("should have the `card_index` 0, 1, 2 … in this order")


CARD = Object(
    required={
        "card_index": Integer(0, 9),
        "components": ListOf(
            Variants(
                "type",
                {
                    "header": CARD_HEADER,
                    "body": body(MAX_CARD_BODY),
                    "button": BUTTON,
                },
                any_case=True,
            ),
            1,
            4,
            rules=(NoMoreThan(2, "*.sub_type", "buttons"), Unique("*.index")),
        ),
    },
)
CARDS = ListOf(
    CARD, 2, 10, rules=(Unique("*.card_index"), Condition("consecutive indexes (a warning)", _consecutive))
)

BODY = body(MAX_BODY)
COMPONENT = Variants(
    "type",
    {
        "header": HEADER,
        "body": BODY,
        "button": BUTTON,
        "limited_time_offer": single("limited_time_offer", LIMITED_TIME_OFFER),
        "carousel": Object(required={"cards": CARDS}),
        "order_status": single("order_status", ORDER_STATUS),
        "tap_target_configuration": single("tap_target_configuration", ListOf(ANYTHING, 1, 1)),
    },
    any_case=True,
    wrong_words={
        "footer": "a footer has no variables: leave it out",
        "buttons": "send one component of type `button` for each button that has a variable",
    },
)


def _one_of_each(components: object) -> Findings:
    seen: set[str] = set()
    for path, kind in members(components, "*", "type"):
        if isinstance(kind, str) and kind.lower() != "button":
            if kind.lower() in seen:
                yield Finding("must not be given twice", "put all parameters into one component", path=path)
            seen.add(kind.lower())


def _shorter_beside_others(components: object) -> Findings:
    if len([*members(components, "*")]) < 2:
        return
    for path, kind, text in _texts(components):
        if kind == "body" and MAX_BODY_BESIDE_OTHERS < len(text) <= MAX_BODY:
            yield Finding(
                f"must have at most {MAX_BODY_BESIDE_OTHERS} characters beside other components; it has {len(text)}",
                path=path,
            )


def _one_code(components: object) -> Findings:
    codes = [
        path
        for path, kind in members(components, "*", "sub_type")
        if isinstance(kind, str) and kind.lower() == "copy_code"
    ]
    for path in codes[1:]:
        yield Finding("must not be `copy_code` twice: a template has one code", path=path)


def _same_password(components: object) -> Findings:
    """Warn where a one-time password differs between body and button. Source: Meta, "Authentication templates".

    Only Meta knows the template's category: it is guessed from one value with a digit and without blanks in the body,
    and one in a URL.
    """
    body_texts = [text for _, kind, text in _texts(components) if kind == "body"]
    url_texts = [text for _, kind, text in _texts(components) if kind == "button"]
    differ = len(body_texts) == len(url_texts) == 1 and body_texts != url_texts
    if differ and all(_PASSWORD.fullmatch(text) for text in body_texts + url_texts):
        yield warning("should hold the same one-time password in body and button, if the template is for one")


def _texts(components: object) -> Iterator[tuple[Path, str, str]]:
    """Yield the text of each parameter, with its place and the type of its component."""
    for above, component in members(components, "*"):
        kind = component.get("type") if isinstance(component, dict) else None
        for path, text in members(component, "parameters", "*", "text"):
            if isinstance(kind, str) and isinstance(text, str):
                yield (*above, *path), kind.lower(), text


_PASSWORD = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{4,15}", re.ASCII)

TEMPLATE = Object(
    required={
        "name": NAME,
        "language": Object(required={"code": LANGUAGE}, optional={"policy": Choice("deterministic")}),
    },
    optional={
        "namespace": ANYTHING,
        "components": ListOf(
            COMPONENT,
            0,
            16,
            rules=(
                Condition("one component of each type, but for buttons", _one_of_each),
                NoMoreThan(10, "*.sub_type", "buttons"),
                Unique("*.index"),
                Condition("one button of `copy_code`", _one_code),
                Condition("a one-time password is the same in body and button (a warning)", _same_password),
                Condition(
                    f"body texts of at most {MAX_BODY_BESIDE_OTHERS} beside other components", _shorter_beside_others
                ),
            ),
        ),
    },
    misplaced={"parameters": "they belong into `components`", "category": "the category is set on the template"},
)
