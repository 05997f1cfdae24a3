"""Build the changes of the examples: one item each, with the phone number and the customer around it."""

from typing import Any

Change = dict[str, Any]
Changes = dict[str, Change]
"""By the type of the event that is split out of it."""

AT = "1764000000"
BUSINESS, PHONE, USER_ID = "15550001111", "4915112345678", "DE.13491208655302741918"
CONTACT = {"profile": {"name": "Ada", "username": "ada"}, "wa_id": PHONE, "user_id": USER_ID}
METADATA = {"display_phone_number": BUSINESS, "phone_number_id": "9876543210"}


def change(field: str, **lists: Any) -> Change:
    """Return a change of a phone number's webhook field, with these lists in its value."""
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": METADATA, **lists}}


def message(type_: str, content: Any, **more: Any) -> Change:
    """Return a customer's message with the object that its type names."""
    item = {"from": PHONE, "from_user_id": USER_ID, "id": f"wamid.{type_}", "timestamp": AT, "type": type_}
    return change("messages", contacts=[CONTACT], messages=[{**item, type_: content, **more}])


def reply(type_: str, content: Any) -> Change:
    """Return a customer's answer to an interactive message."""
    question = {"from": BUSINESS, "id": "wamid.asked"}
    return message("interactive", {"type": type_, type_: content}, id=f"wamid.{type_}", context=question)


def system(type_: str, **details: Any) -> Change:
    """Return a system message: something about the customer has changed. `identity` is beside the details."""
    around = {"identity": details.pop("identity")} if "identity" in details else {}
    item = {"id": f"wamid.{type_}", "timestamp": AT, "type": "system", "system": {"type": type_, **details}}
    sender = {"from": PHONE, "from_user_id": USER_ID}
    return change("messages", contacts=[CONTACT], messages=[{**sender, **item, **around}])


def echo(type_: str, content: Any) -> Change:
    """Return a message that the business sent from its phone."""
    recipient = {"to": PHONE, "to_user_id": USER_ID}
    item = {"from": BUSINESS, **recipient, "id": f"wamid.echo.{type_}", "timestamp": AT, "type": type_}
    return change("smb_message_echoes", contacts=[CONTACT], message_echoes=[{**item, type_: content}])


def status(state: str, **more: Any) -> Change:
    """Return the status of a sent message."""
    item = {"id": "wamid.sent", "status": state, "timestamp": AT, "recipient_id": PHONE, "recipient_user_id": USER_ID}
    return change("messages", contacts=[CONTACT], statuses=[{**item, **more}])


def call(event: str, **more: Any) -> Change:
    """Return an event of a customer's call."""
    sender = {"from": PHONE, "from_user_id": USER_ID}
    item = {"id": "wacid.call", **sender, "to": BUSINESS, "event": event, "timestamp": AT}
    return change("calls", contacts=[CONTACT], calls=[{**item, "direction": "USER_INITIATED", **more}])


def group(field: str, type_: str, **more: Any) -> Change:
    """Return a change of a group."""
    item = {"timestamp": AT, "group_id": "Y2FwaV9ncm91cDox", "type": type_, "request_id": "request-1"}
    return change(field, groups=[{**item, **more}])


def of_account(field: str, **value: Any) -> Change:
    """Return a change of the account: the value is the item, and names no phone number."""
    return {"field": field, "value": value}
