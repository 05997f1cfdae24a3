"""Contact cards. Source: Meta, "Contacts messages"."""

from typing import Any

from app.domain.meta.payloads.findings import Findings, warning
from app.domain.meta.payloads.rules import Condition
from app.domain.meta.payloads.structure import ListOf, Object, OwnLimit
from app.domain.meta.payloads.values import Day, Text

STRING = OwnLimit(Text(0, 1024))
NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")


def _has_a_part(name: dict[str, Any]) -> Findings:
    if not any(name.get(part) for part in NAME_PARTS):
        yield warning("has no first or last name; older WhatsApp clients show no name then")


NAME = Object(
    required={"formatted_name": OwnLimit(Text(1, 1024))},
    optional=dict.fromkeys(NAME_PARTS, STRING),
    rules=(Condition("one of the parts of the name should be given (a warning)", _has_a_part),),
)

CONTACT = Object(
    required={"name": NAME},
    optional={
        "birthday": Day(),
        "phones": ListOf(Object(optional={"phone": STRING, "type": STRING, "wa_id": STRING}), 0, 100),
        "emails": ListOf(Object(optional={"email": STRING, "type": STRING}), 0, 100),
        "urls": ListOf(Object(optional={"url": OwnLimit(Text(0, 2048)), "type": STRING}), 0, 100),
        "addresses": ListOf(
            Object(
                optional=dict.fromkeys(
                    ("street", "city", "state", "zip", "country", "country_code", "type"),
                    STRING,
                )
            ),
            0,
            100,
        ),
        "org": Object(optional={"company": STRING, "department": STRING, "title": STRING}),
    },
)

CONTACTS = ListOf(CONTACT, 1, 257)
