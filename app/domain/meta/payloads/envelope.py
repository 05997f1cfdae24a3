"""The fields around the content of a message: for whom it is, what it answers, by which path it is sent."""

import re
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings
from app.domain.meta.payloads.recipients import USER_ID, RightRecipient, To
from app.domain.meta.payloads.rules import Condition
from app.domain.meta.payloads.structure import Object, OwnLimit, Rule
from app.domain.meta.payloads.values import Checker, Choice, Text

MESSAGE_ID = OwnLimit(Text(1, 1024))
"""A wamid. Real ones have up to 130 characters."""

ON_THE_TEMPLATE = "set `message_send_ttl_seconds` on the template; a send has no lifetime of its own"
MARKETING_ONLY = "it is for POST …/marketing_messages only"
READ_RECEIPT = "this marks a customer's message as read; it is no message, and wats does not pass it on yet"


def _group_hash(value: Any) -> Findings:
    if value.get("recipient_type") == "group" and value.get("recipient_identity_key_hash") is not None:
        yield Finding("must not be used with a group", path=("recipient_identity_key_hash",))


ENVELOPE = Object(
    optional={
        "messaging_product": Choice("whatsapp"),
        "recipient_type": Choice("individual", "group"),
        "to": To(),
        "recipient": Text(
            4, 135, USER_ID, "a user id: `US.` or `US.ENT.` with the country's letters, then letters and digits"
        ),
        "context": Object(required={"message_id": MESSAGE_ID}),
        "recipient_identity_key_hash": OwnLimit(Text(1, 128)),
        "biz_opaque_callback_data": Text(0, 512),
        "from": Text(1, 40, re.compile(r"[0-9]+", re.ASCII), "a phone number id, not the number that customers see"),
    },
    misplaced={
        "ttl": ON_THE_TEMPLATE,
        "message_send_ttl_seconds": ON_THE_TEMPLATE,
        "ttl_seconds": "it needs `category` `utility` or `authentication` (Direct Send)",
        "direct_send_config": "it needs `category` `utility` (Direct Send)",
        "category": "only `text` and `interactive` messages have a category (Direct Send)",
        "message_activity_sharing": MARKETING_ONLY,
        "product_policy": MARKETING_ONLY,
        "status": READ_RECEIPT,
        "typing_indicator": READ_RECEIPT,
    },
    rules=(RightRecipient(), Condition("`recipient_identity_key_hash` is never used with a group", _group_hash)),
)


def message(kind: str, content: Checker, *rules: Rule) -> Object:
    """Return a message of one kind: its content is under the kind's name."""
    return Object(required={kind: content}, rules=rules)
