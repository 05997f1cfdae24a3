"""Whether Meta lets an account send, as it tells by a webhook before the first message is refused.

Source: Meta, "account_update": `DISABLED_UPDATE` with `ban_info`, and `ACCOUNT_DELETED`.
"""

from typing import Any

from app.domain.event import NewEvent

ACCOUNT_UPDATE = "account.update"
MAY_SEND = {"DISABLE": False, "REINSTATE": True}
"""A ban that is only scheduled (`SCHEDULE_FOR_DISABLE`) changes nothing yet."""


def may_send(event: NewEvent) -> bool | None:
    """Return whether the account of an event may send from now on; None if the event does not say so."""
    if event.type != ACCOUNT_UPDATE or not isinstance(event.raw, dict):
        return None
    if event.raw.get("event") == "ACCOUNT_DELETED":
        return False
    return MAY_SEND.get(_ban_state(event.raw)) if event.raw.get("event") == "DISABLED_UPDATE" else None


def _ban_state(raw: dict[str, Any]) -> str:
    ban = raw.get("ban_info")
    return str(ban.get("waba_ban_state")) if isinstance(ban, dict) else ""
