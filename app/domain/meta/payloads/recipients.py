"""Whom a message is for: a phone number, a group, or a customer by user id.

Source: Meta, "Business phone numbers" (formats), "Group messaging", "Business-scoped user IDs".
"""

import re
from dataclasses import dataclass
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, Severity, json_type, strict

MAX_GROUP_ID_LENGTH = 256
_DECORATION = re.compile(r"[\s().-]")
_PHONE = re.compile(r"\+?([1-9][0-9]{4,14})", re.ASCII)
_GROUP = re.compile(r"(?!\+?[0-9]{1,15}$)[!-~]+", re.ASCII)
USER_ID = re.compile(r"[A-Z]{2}(\.ENT)?\.[A-Za-z0-9_-]{1,128}", re.ASCII)


def phone_of(to: object) -> str | None:
    """Return a phone number as it is sent, `+491701234567`, from any spelling that can mean no other number.

    Blanks, hyphens, dots and parentheses are taken out. The plus sign is added: without it Meta may put the country
    code of the business in front, and clients that write none mean an international number.
    """
    if not isinstance(to, str):
        return None
    match = _PHONE.fullmatch(to) or _PHONE.fullmatch(_DECORATION.sub("", to))
    return f"+{match[1]}" if match else None


@dataclass(frozen=True)
class To:
    """A phone number or a group id; `recipient_type` says which, in the rule `RightRecipient`."""

    def check(self, value: object) -> Findings:
        """Yield what is wrong with either."""
        if not isinstance(value, str):
            severity = Severity.STRICT if type(value) is int and 0 < value < 10**15 else Severity.WRONG
            yield Finding(
                f"must be a string, not {json_type(value)}", 'write it in quotes: "+491701234567"', severity
            )
        elif not value or value.isspace():
            yield Finding("must not be blank")
        elif len(value) > MAX_GROUP_ID_LENGTH:
            yield Finding(f"must have at most {MAX_GROUP_ID_LENGTH} characters; it has {len(value)}")

    def describe(self) -> str:
        """Return both forms."""
        return (
            "a phone number with its country code, 5 to 15 digits (`+`, blanks, `-`, `.`, `(` and `)` may be in"
            f" it), or a group id of at most {MAX_GROUP_ID_LENGTH} characters"
        )


class RightRecipient:
    """A recipient is named, and in the form that `recipient_type` needs."""

    def check(self, value: dict[str, Any]) -> Findings:
        """Yield what is wrong between `to`, `recipient` and `recipient_type`."""
        to, recipient, is_group = value.get("to"), value.get("recipient"), value.get("recipient_type") == "group"
        if is_group:
            yield from _check_group(to)
        elif to is None and recipient is None:
            yield Finding("is required", "write the phone number in `to`, or a user id in `recipient`", path=("to",))
        elif isinstance(to, str) and to.strip() and len(to) <= MAX_GROUP_ID_LENGTH and phone_of(to) is None:
            yield strict("must be a phone number with its country code, 5 to 15 digits", _phone_hint(to)).below("to")

    def describe(self) -> str:
        """Return the rule."""
        return (
            "`to` or `recipient` is given; if both are, Meta takes `to`; a group id needs `recipient_type` `group`,"
            " and that needs a group id"
        )


def _check_group(to: object) -> Findings:
    if to is None:
        yield Finding("is required: a message to a group", "write the group's id in `to`", path=("to",))
    elif isinstance(to, str) and to.strip() and not _GROUP.fullmatch(to):
        yield strict("must be a group id", "to write to a person, leave `recipient_type` out").below("to")


def _phone_hint(to: str) -> str:
    digits = _DECORATION.sub("", to)
    if digits.startswith("00"):
        return "write `+` in the place of the leading `00`"
    if digits.removeprefix("+").startswith("0"):
        return "write the country code in the place of the leading `0`"
    if USER_ID.fullmatch(to):
        return "a user id belongs in `recipient`"
    return "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`"
