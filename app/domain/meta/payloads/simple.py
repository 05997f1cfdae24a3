"""Text, location, reaction and pin. Source: Meta, the page of each kind under "Send messages"; "Group messaging"."""

import re
from dataclasses import dataclass

from app.domain.meta.payloads.envelope import MESSAGE_ID
from app.domain.meta.payloads.findings import Finding, Findings, json_type
from app.domain.meta.payloads.structure import Object, OwnLimit
from app.domain.meta.payloads.values import Flag, Integer, Number, Text
from app.domain.meta.payloads.variants import Variants

MAX_EMOJI_LENGTH = 32
"""The limit in code points. A family with skin tones has 11, the flag of Scotland 7."""

_KEYCAP_OR_INFORMATION = re.compile("[#*0-9]\ufe0f?\u20e3|\u2139")
"""Emoji that begin with a character of plain text, and the one that Unicode counts as a letter."""

TEXT = Object(
    required={"body": Text(1, 4096)},
    optional={"preview_url": Flag()},
)

LOCATION = Object(
    required={"latitude": Number(-90, 90), "longitude": Number(-180, 180)},
    optional={"name": OwnLimit(Text(0, 1000)), "address": OwnLimit(Text(0, 1024))},
)


@dataclass(frozen=True)
class Emoji:
    """One emoji, or the empty string that takes a reaction back.

    What one emoji is changes with each Unicode: plain text is refused, and what is too long for any emoji.
    """

    def check(self, value: object) -> Findings:
        """Yield what is wrong."""
        if not isinstance(value, str):
            yield Finding(f"must be {self.describe()}, not {json_type(value)}")
        elif len(value) > MAX_EMOJI_LENGTH or any(map(_is_plain, _KEYCAP_OR_INFORMATION.sub("", value))):
            yield Finding(f"must be {self.describe()}", "a reaction holds no text; send one as a `text` message")

    def describe(self) -> str:
        """Return the form."""
        return "one emoji, or an empty string to take the reaction back"


def _is_plain(character: str) -> bool:
    return character.isascii() or character.isalnum() or character.isspace()


REACTION = Object(
    required={"message_id": MESSAGE_ID, "emoji": OwnLimit(Emoji())},
)

PIN = Variants(
    "type",
    {
        "pin": Object(required={"expiration_days": Integer(1, 30)}),
        "unpin": Object(optional={"expiration_days": Integer(1, 30)}),
    },
    common=Object(required={"message_id": MESSAGE_ID}),
)
