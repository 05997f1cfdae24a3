"""The table of all messages: the kinds of each endpoint and of Direct Send."""

from typing import Any, Literal

from app.domain.meta.payloads.envelope import ENVELOPE, message
from app.domain.meta.payloads.structure import Variants
from app.domain.meta.payloads.text import TEXT

Endpoint = Literal["messages", "marketing_messages"]

MESSAGES = Variants(
    "type",
    common=ENVELOPE,
    cases={
        "text": message("text", TEXT),
    },
)


def table_of(body: dict[str, Any], endpoint: Endpoint) -> Variants:
    """Return the table that holds for a body."""
    del body, endpoint
    return MESSAGES
