"""Direct Send (beta since August 2026): text and buttons with a category. Source: Meta, "Direct Send".

Utility and authentication messages may be sent outside of the customer service window. A service message is
like one without a category, but has fewer kinds.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.meta.payloads.carousel import CTA_URL
from app.domain.meta.payloads.envelope import ENVELOPE, message
from app.domain.meta.payloads.findings import Finding, Findings
from app.domain.meta.payloads.interactive import BUTTON_MESSAGE, CTA_URL_MESSAGE, REPLY, action
from app.domain.meta.payloads.interactive_parts import BODY, FOOTER, any_header
from app.domain.meta.payloads.media import ANY_SOURCE
from app.domain.meta.payloads.rules import Condition, Unique
from app.domain.meta.payloads.simple import TEXT
from app.domain.meta.payloads.structure import ListOf, Object, Rule, members
from app.domain.meta.payloads.values import Checker, Choice, Flag, Integer, Text
from app.domain.meta.payloads.variants import Part, Variants

MAX_URL_BUTTONS = 2
OTHER_KINDS = dict.fromkeys(
    ("image", "video", "audio", "document", "sticker", "location", "contacts", "reaction", "pin", "template"),
    "a message with a `category` (Direct Send) is `text` or `interactive`",
)
CATEGORY = Choice("service", "utility", "authentication")


def _urls_first(buttons: object) -> Findings:
    kinds = [kind for _, kind in members(buttons, "*", "type")]
    urls = [index for index, kind in enumerate(kinds) if kind == "cta_url"]
    if len(urls) > MAX_URL_BUTTONS:
        yield Finding(f"must have at most {MAX_URL_BUTTONS} buttons of `cta_url`; it has {len(urls)}")
    if urls != list(range(len(urls))):
        yield Finding("must have the buttons of `cta_url` before the replies")


BUTTONS = ListOf(
    Variants("type", {"reply": REPLY, "cta_url": Object(required={"cta_url": CTA_URL})}),
    1,
    10,
    rules=(
        Unique("*.reply.id"),
        Unique("*.reply.title"),
        Condition(f"at most {MAX_URL_BUTTONS} of `cta_url`, before the replies", _urls_first),
    ),
)
HEADER = any_header(ANY_SOURCE)

KINDS = {
    "text": message(
        "text",
        Object(required={"body": Text(1, 1024)}, optional={"preview_url": Flag()}),
    ),
    "interactive": message(
        "interactive",
        Variants(
            "type",
            {
                "button": Object(
                    required={"body": BODY, "action": Object(required={"buttons": BUTTONS})},
                    optional={"header": HEADER, "footer": FOOTER},
                ),
                "cta_url": Object(
                    required={"body": BODY, "action": action("cta_url", CTA_URL)},
                    optional={"header": HEADER, "footer": FOOTER},
                ),
            },
        ),
    ),
}


def _has_phone(body: dict[str, Any]) -> Findings:
    if body.get("to") is None and body.get("recipient") is not None:
        yield Finding("is required: an authentication message needs a phone number (131062)", path=("to",))


def direct_send(kinds: Mapping[str, Part], fields: Mapping[str, Checker], *rules: Rule) -> Variants:
    """Return the table of a category: its kinds, and the fields and rules that only it has."""
    own = Object(required={"category": CATEGORY}, optional=fields, rules=rules)
    return Variants("type", kinds, common=own.with_common(ENVELOPE), wrong_words=OTHER_KINDS)


UTILITY = direct_send(
    KINDS,
    {
        "ttl_seconds": Integer(30, 43200),
        "direct_send_config": Object(
            required={"template_name": Text(1, 512, re.compile(r"[a-z0-9_]+"), "lower-case letters, digits and `_`")}
        ),
    },
)
AUTHENTICATION = direct_send(
    KINDS,
    {"ttl_seconds": Integer(30, 900)},
    Condition("`to` is given: authentication needs a phone number", _has_phone),
)
SERVICE = direct_send(
    {
        "text": message("text", TEXT),
        "interactive": message(
            "interactive",
            Variants("type", {"button": BUTTON_MESSAGE, "cta_url": CTA_URL_MESSAGE}),
        ),
    },
    {},
)
