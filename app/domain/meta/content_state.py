"""Whether Meta lets a template be sent, and marketing to a customer, as webhooks report.

Source: Meta, "message_template_status_update" (`event`), and "user_preferences" (`category`, `value`).
"""

from typing import Any

from app.domain.event import NewEvent

TEMPLATE_STATUS, PREFERENCE = "template.status", "contact.preference"
TEMPLATE_STATES = {"PAUSED": False, "DISABLED": False, "APPROVED": True, "REINSTATED": True}
PREFERENCES = {"stop": False, "resume": True}


def template_may_be_sent(event: NewEvent) -> tuple[str, str | None, bool] | None:
    """Return a template, its language, and whether it may be sent from now on; None if the event does not say so."""
    raw = _raw(event, TEMPLATE_STATUS)
    may, name, language = (raw.get(key) for key in ("event", "message_template_name", "message_template_language"))
    state = TEMPLATE_STATES.get(may) if isinstance(may, str) else None
    if state is None or not isinstance(name, str):
        return None
    return name, language if isinstance(language, str) else None, state


def marketing_is_wanted(event: NewEvent) -> bool | None:
    """Return whether a customer wants marketing of a number from now on; None if the event does not say so."""
    raw = _raw(event, PREFERENCE)
    value = raw.get("value")
    is_marketing = raw.get("category") == "marketing_messages"
    return PREFERENCES.get(value) if is_marketing and isinstance(value, str) else None


def _raw(event: NewEvent, type_: str) -> dict[str, Any]:
    return event.raw if event.type == type_ and isinstance(event.raw, dict) else {}
