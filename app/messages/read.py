"""Marks a customer's message as read, with the typing indicator if that is asked for: one call to Meta, at once.

It is not a job: a late mark is useless, and a client that repeats the call does no harm.
"""

import json

from app.domain.event import Event
from app.gateway import Gateway
from app.graph.call import GraphRequest
from app.messages.ask_meta import SUCCESS
from app.messages.meta_call import call_meta, not_understood

JSON = (("Content-Type", "application/json"),)


def mark_as_read(gateway: Gateway, received: Event, *, typing: bool) -> None:
    """Tell Meta that a message was read. Raises `ApiError` if Meta refuses it, or cannot be reached."""
    indicator = {"typing_indicator": {"type": "text"}} if typing else {}
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": received.raw["id"], **indicator}
    path = f"{received.phone_number_id}/messages"
    answer = call_meta(gateway, GraphRequest("POST", path, headers=JSON, body=json.dumps(body).encode("ascii")))
    if answer.get("success") is not True:
        raise not_understood(SUCCESS)
