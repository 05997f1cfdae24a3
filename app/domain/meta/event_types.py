"""Read an event's type out of an item. Each function returns None where the item does not say."""

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
"""Messages that no customer wrote: WhatsApp reports a change of the customer."""

NOT_WRITTEN = {*SYSTEM_MESSAGES.values(), "message.system", "message.revoke", "message.request_welcome"}
"""Types of items of `messages[]` that hold no message of a customer."""

MESSAGE_PREFIX, STATUS_PREFIX = "message.", "message.status."

STATUSES_OF_MESSAGE = ("sent", "delivered", "read", "played", "failed")
"""The statuses of a message. Each comes once for each of its recipients."""


def unknown(_: dict[str, Any]) -> None:
    """Return None: the list or field of this item is unknown."""


def unknown_type(field: Any) -> str:
    """Return the type of an event of which at most the field is known: `unknown.FIELD` or `unknown.envelope`."""
    return f"unknown.{word(field) or 'envelope'}"


def message(raw: dict[str, Any]) -> str | None:
    """Return the type of a customer's message. A reply to an interactive message has the kind of reply appended."""
    type_ = word(raw.get("type"))
    if type_ == "system":
        return SYSTEM_MESSAGES.get(_type_within(raw, "system") or "", "message.system")
    return _message("message", type_, raw)


def echo(raw: dict[str, Any]) -> str | None:
    """Return the type of a message that the business sent by other means than this gateway."""
    return _message("echo", word(raw.get("type")), raw)


def is_inbound(type_: str) -> bool:
    """Return whether events of this type are messages that customers wrote."""
    is_status = type_.startswith(STATUS_PREFIX)
    return type_.startswith(MESSAGE_PREFIX) and not is_status and type_ not in NOT_WRITTEN


def kind_of_message(type_: str) -> str:
    """Return Meta's type of the message in such an event: `interactive` for `message.interactive.button_reply`."""
    return type_.removeprefix(MESSAGE_PREFIX).partition(".")[0]


def _message(family: str, type_: str | None, raw: dict[str, Any]) -> str | None:
    reply = _type_within(raw, "interactive") if type_ == "interactive" else None
    return ".".join(filter(None, (family, type_, reply))) if type_ else None


def _type_within(raw: dict[str, Any], key: str) -> str | None:
    member = raw.get(key)
    return word(member.get("type")) if isinstance(member, dict) else None


def status(raw: dict[str, Any]) -> str | None:
    """Return the type of a status: of a message, of a call, or of a payment that a message asked for."""
    if raw.get("type") == "call":
        return call_status(raw)
    if raw.get("type") == "payment" or "payment" in raw:
        return _named("payment", raw.get("status"))
    return _named("message.status", raw.get("status")) if is_of_message(raw) else None


def is_of_message(status: dict[str, Any]) -> bool:
    """Return whether a status is about a message itself. Statuses of other things name the message only as origin."""
    return status.get("type") in (None, "", "message") and "payment" not in status


def call_status(raw: dict[str, Any]) -> str | None:
    """Return the type of the status of a call from the business."""
    return _named("call.status", raw.get("status"))


def call(raw: dict[str, Any]) -> str | None:
    """Return the type of a call that begins or ends."""
    return _named("call", raw.get("event"))


def app_state(raw: dict[str, Any]) -> str | None:
    """Return the type of a change in the WhatsApp Business app, such as a contact in its address book."""
    return _named("app_state", raw.get("type"))


def flow(value: dict[str, Any]) -> str | None:
    """Return the type of a change of a flow, such as its status or its endpoint."""
    return _named("flow", value.get("event"))


def _named(family: str, name: Any) -> str | None:
    return f"{family}.{suffix}" if (suffix := word(name)) else None
