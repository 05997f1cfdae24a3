"""The table of all messages: the kinds of each endpoint, and which table holds for a body."""

from typing import Any

from app.domain.message import Endpoint
from app.domain.meta.payloads import direct_send
from app.domain.meta.payloads.contacts import CONTACTS
from app.domain.meta.payloads.envelope import ENVELOPE, message
from app.domain.meta.payloads.findings import Finding, Findings, warning
from app.domain.meta.payloads.interactive import INTERACTIVE
from app.domain.meta.payloads.media import AUDIO, DOCUMENT, IMAGE, STICKER, VIDEO
from app.domain.meta.payloads.rules import Condition
from app.domain.meta.payloads.simple import LOCATION, PIN, REACTION, TEXT
from app.domain.meta.payloads.structure import Object, members
from app.domain.meta.payloads.template import TEMPLATE
from app.domain.meta.payloads.values import Choice, Flag
from app.domain.meta.payloads.variants import Variants


def _in_a_group(body: dict[str, Any]) -> Findings:
    if body.get("recipient_type") != "group":
        yield Finding("must be `group`: messages are pinned in groups only", path=("recipient_type",))


def _no_context(body: dict[str, Any]) -> Findings:
    if body.get("context") is not None:
        yield Finding(
            "must not be used with a reaction", "`reaction.message_id` names the message", path=("context",)
        )


def _no_gif(body: dict[str, Any]) -> Findings:
    for path, kind in members(body, "template", "components", "*", "parameters", "*", "type"):
        if isinstance(kind, str) and kind.lower() == "gif":
            yield warning("is for POST …/marketing_messages; Meta may refuse it here", path=path)


MESSAGES = Variants(
    "type",
    {
        "text": message("text", TEXT),
        "image": message("image", IMAGE),
        "video": message("video", VIDEO),
        "audio": message("audio", AUDIO),
        "document": message("document", DOCUMENT),
        "sticker": message("sticker", STICKER),
        "location": message("location", LOCATION),
        "contacts": message("contacts", CONTACTS),
        "reaction": message("reaction", REACTION, Condition("`context` is never used with a reaction", _no_context)),
        "pin": message("pin", PIN, Condition("`recipient_type` is `group`", _in_a_group)),
        "template": message(
            "template", TEMPLATE, Condition("a `gif` is for marketing_messages (a warning)", _no_gif)
        ),
        "interactive": message("interactive", INTERACTIVE),
    },
    common=ENVELOPE,
)

MARKETING_MESSAGES = Variants(
    "type",
    {"template": message("template", TEMPLATE)},
    common=Object(
        optional={
            "recipient_type": Choice("individual"),
            "message_activity_sharing": Flag(),
            "product_policy": Choice("CLOUD_API_FALLBACK", "STRICT"),
        }
    ).with_common(ENVELOPE),
    wrong_words=dict.fromkeys(MESSAGES.cases, "only templates go this way; send it by POST …/messages"),
)


def table_of(body: dict[str, Any], endpoint: Endpoint) -> Variants:
    """Return the table that holds for a body, by the endpoint and the category of Direct Send."""
    category = body.get("category")
    if endpoint == "marketing_messages":
        return MARKETING_MESSAGES
    if category is None:
        return MESSAGES
    return {"utility": direct_send.UTILITY, "authentication": direct_send.AUTHENTICATION}.get(
        category if isinstance(category, str) else "", direct_send.SERVICE
    )
