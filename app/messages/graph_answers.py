"""Builds the answers to clients that speak Meta's API, in Meta's shape."""

from typing import Any

from app.domain.message import Message, MessageStatus
from app.domain.meta.graph_errors import graph_error, meta_part
from app.domain.meta.payloads.order_expiry import ORDER_EXPIRED
from app.domain.window import WINDOW_CLOSED

ENDED = (MessageStatus.FAILED, MessageStatus.CANCELLED, MessageStatus.EXPIRED)
DEFAULT_STATUS = 400
CODES = {WINDOW_CLOSED["code"]: "window_closed", ORDER_EXPIRED["code"]: "invalid_fields"}
"""The codes of the API's errors, by those of a message that was too late to be sent."""


def is_answered(message: Message) -> bool:
    """Return whether it is known how a message ended: Meta has accepted it, or it will not be sent any more."""
    return message.wamid is not None or message.status in ENDED


def accepted_json(message: Message, body: dict[str, Any]) -> dict[str, Any]:
    """Return Meta's answer to a message that it has accepted; `body` is the client's."""
    to = str(body["to"] if body.get("to") is not None else body.get("recipient"))
    identified = message.meta_contact or ({"wa_id": to.removeprefix("+")} if message.to else {"user_id": to})
    sent = {"id": message.wamid}
    if message.meta_status is not None:
        sent["message_status"] = message.meta_status
    if body.get("recipient_type") == "group":
        sent["group_id"] = to
    return {"messaging_product": "whatsapp", "contacts": [{"input": to, **identified}], "messages": [sent]}


def refused_json(message: Message) -> tuple[int, dict[str, Any]] | None:
    """Return the HTTP status and the error with which Meta has refused a message; None if it was not Meta.

    Our own errors have a word as their code, which no client of Meta's API can read.
    """
    error = message.error or {}
    if message.status is not MessageStatus.FAILED or graph_error(error) is None:
        return None
    return error.get("httpStatus", DEFAULT_STATUS), {"error": meta_part(error)}


def ending_without_meta(message: Message) -> tuple[str, str]:
    """Return the code of our error, and the text, about a message that ended without an answer of Meta's."""
    error = message.error or {}
    code = CODES.get(error.get("code", ""), "message_pending")
    reason = "; ".join(error[part] for part in ("message", "hint") if part in error)
    return (
        code,
        f"wats has not sent the message {message.id}: it is {message.status}{f' ({reason})' if reason else ''}.",
    )


def still_open(message: Message, seconds: int) -> str:
    """Return the text about a message that Meta has not answered within these seconds."""
    fate = "may have been accepted" if message.status is MessageStatus.UNKNOWN else "waits to be sent"
    return (
        f"Meta has not answered within {seconds} seconds. The message is {message.id} in wats and {fate}: do not send"
        " it again; a status, or GET of the message in wats's own API, says what became of it."
    )
