"""Whether Meta lets an account send, as a webhook reports before the first message is refused.

Source: Meta, "account_update": `DISABLED_UPDATE` with `ban_info`, `ACCOUNT_DELETED`, and `ACCOUNT_RESTRICTION` with
`restriction_info`, a list of `restriction_type` and `expiration`.
"""

from datetime import datetime
from typing import Any

from app.domain.event import NewEvent
from app.domain.meta import scalars

ACCOUNT_UPDATE, RESTRICTION = "account.update", "ACCOUNT_RESTRICTION"
MAY_SEND = {"DISABLE": False, "REINSTATE": True}
"""A ban that is only scheduled (`SCHEDULE_FOR_DISABLE`) changes nothing yet."""


def may_send(event: NewEvent) -> bool | None:
    """Return whether the account of an event may send from now on; None if the event does not say so."""
    if event.type != ACCOUNT_UPDATE or not isinstance(event.raw, dict):
        return None
    if event.raw.get("event") == "ACCOUNT_DELETED":
        return False
    return MAY_SEND.get(_ban_state(event.raw)) if event.raw.get("event") == "DISABLED_UPDATE" else None


INITIATED, REPLIES = "initiated:", "replies:"
"""Scopes of messages: those with which an account begins a conversation, and those in a customer service window."""

RESTRICTED = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": INITIATED,
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": REPLIES,
}
"""The messages that these restrictions hold back. Others, such as those of adding numbers, hold none back."""


def restrictions_of(event: NewEvent) -> dict[str, datetime | None]:
    """Return which messages of its account an event restricts, by the prefix of their scope, each until when."""
    if event.type != ACCOUNT_UPDATE or not isinstance(event.raw, dict) or event.raw.get("event") != RESTRICTION:
        return {}
    restrictions = event.raw.get("restriction_info")
    return {
        RESTRICTED[one["restriction_type"]]: scalars.timestamp(one.get("expiration"))
        for one in (restrictions if isinstance(restrictions, list) else [])
        if isinstance(one, dict) and str(one.get("restriction_type")) in RESTRICTED
    }


def _ban_state(raw: dict[str, Any]) -> str:
    ban = raw.get("ban_info")
    return str(ban.get("waba_ban_state")) if isinstance(ban, dict) else ""
