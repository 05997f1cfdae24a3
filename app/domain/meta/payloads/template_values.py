"""The values of a template's variables: parameters of the header and of the body. Source: Meta, "Components".

A header has one parameter. A body has as many as the template has variables; how many that are, only Meta knows.
"""

import re
from collections.abc import Mapping

from app.domain.meta.payloads.findings import Finding, Findings
from app.domain.meta.payloads.media import header_document, header_media
from app.domain.meta.payloads.orders import CURRENCY
from app.domain.meta.payloads.products import CATALOG_ID, RETAILER_ID
from app.domain.meta.payloads.rules import Condition, Unique
from app.domain.meta.payloads.simple import LOCATION
from app.domain.meta.payloads.structure import Either, ListOf, Object, Rule, members
from app.domain.meta.payloads.values import Checker, Choice, Integer, ParameterText, Text
from app.domain.meta.payloads.variants import Variants

MAX_HEADER_TEXT, MAX_PARAMETERS = 60, 100

PARAMETER_NAME = Text(1, 512, re.compile(r"[a-z][a-z0-9_]*"), "lower-case letters, digits and `_`, a letter first")


def parameter(cases: Mapping[str, Checker]) -> Variants:
    """Return a value of a variable: `{"type": "text", "text": …}`, with a `parameter_name` in named templates."""
    return Variants(
        "type",
        {kind: Object(required={kind: content}) for kind, content in cases.items()},
        common=Object(optional={"parameter_name": PARAMETER_NAME}),
        any_case=True,
    )


def _all_named_or_none(parameters: object) -> Findings:
    named = [
        isinstance(each, dict) and each.get("parameter_name") is not None for _, each in members(parameters, "*")
    ]
    if any(named):
        for index in (index for index, is_named in enumerate(named) if not is_named):
            yield Finding("is required: the others have one", path=(index, "parameter_name"))


NAMED: tuple[Rule, ...] = (
    Condition("all parameters of a component have a `parameter_name`, or none has", _all_named_or_none),
    Unique("*.parameter_name"),
)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

CURRENCY_AMOUNT = Object(
    required={"fallback_value": ParameterText(1024), "code": CURRENCY, "amount_1000": Integer()},
)
DATE_TIME = Object(
    required={"fallback_value": ParameterText(1024)},
    optional={
        "calendar": Choice("gregorian", any_case=True),
        "year": Integer(),
        "month": Integer(1, 12),
        "day_of_month": Integer(1, 31),
        "day_of_week": Either(Integer(1, 7), Choice(*DAYS, any_case=True)),
        "hour": Integer(0, 23),
        "minute": Integer(0, 59),
    },
)
PRODUCT = Object(
    required={"product_retailer_id": RETAILER_ID, "catalog_id": CATALOG_ID},
)


def header(cases: Mapping[str, Checker]) -> Object:
    """Return a header component: one parameter of one of these types."""
    return Object(required={"parameters": ListOf(parameter(cases), 1, 1)})


HEADER = header(
    {
        "text": ParameterText(MAX_HEADER_TEXT),
        "image": header_media(),
        "video": header_media(),
        "gif": header_media(),
        "document": header_document(),
        "location": LOCATION,
        "product": PRODUCT,
    }
)
CARD_HEADER = header({"image": header_media(), "video": header_media(), "product": PRODUCT})


def body(max_length: int) -> Object:
    """Return a body component, with texts up to a length."""
    values: dict[str, Checker] = {
        "text": ParameterText(max_length),
        "currency": CURRENCY_AMOUNT,
        "date_time": DATE_TIME,
    }
    return Object(required={"parameters": ListOf(parameter(values), 0, MAX_PARAMETERS, rules=NAMED)})


def single(kind: str, content: Checker) -> Object:
    """Return a component with exactly one parameter, of the component's own type."""
    return Object(required={"parameters": ListOf(parameter({kind: content}), 1, 1)})
