"""What an item says that it is. None where it does not say."""

from typing import Any

from app.domain.meta.scalars import word

SYSTEM_MESSAGES = {
    "user_changed_number": "contact.number_changed",
    "customer_changed_number": "contact.number_changed",
    "user_changed_user_id": "contact.user_id_changed",
    "customer_identity_changed": "contact.identity_changed",
    "user_identity_changed": "contact.identity_changed",
    "user_preference_changed": "contact.preference",
}
"""Messages that nobody wrote: something about the customer has changed."""


def unknown(_: dict[str, Any]) -> None:
    """An item of a list that we do not know."""


def message(item: dict[str, Any]) -> str | None:
    """A customer's message, by its type; an answer to an interactive message by the kind of answer."""
    type_ = word(item.get("type"))
    if type_ == "system":
        return SYSTEM_MESSAGES.get(_type_within(item, "system") or "", "message.system")
    return _message("message", type_, item)


def echo(item: dict[str, Any]) -> str | None:
    """A message that the business sent by another way than ours."""
    return _message("echo", word(item.get("type")), item)


def _message(family: str, type_: str | None, item: dict[str, Any]) -> str | None:
    answer = _type_within(item, "interactive") if type_ == "interactive" else None
    return ".".join(part for part in (family, type_, answer) if part) if type_ else None


def _type_within(item: dict[str, Any], key: str) -> str | None:
    inside = item.get(key)
    return word(inside.get("type")) if isinstance(inside, dict) else None


def status(item: dict[str, Any]) -> str | None:
    """What became of a message, or of a call."""
    return call_status(item) if item.get("type") == "call" else _named("message.status", item.get("status"))


def call_status(item: dict[str, Any]) -> str | None:
    """What became of a call that the business makes."""
    return _named("call.status", item.get("status"))


def call(item: dict[str, Any]) -> str | None:
    """A call that begins or ends."""
    return _named("call", item.get("event"))


def app_state(item: dict[str, Any]) -> str | None:
    """Something in the WhatsApp Business app: a contact in its address book."""
    return _named("app_state", item.get("type"))


def flow(value: dict[str, Any]) -> str | None:
    """Something about a flow: its status, its endpoint."""
    return _named("flow", value.get("event"))


def _named(family: str, name: Any) -> str | None:
    return f"{family}.{last}" if (last := word(name)) else None
