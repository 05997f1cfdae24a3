"""Marks a customer's message as read, with the typing indicator if that is asked for: one call to Meta, at once.

It is no job. A mark that comes late is worth nothing, and the same call again changes nothing more.
"""

import json

from app.domain.event import Event
from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import ErrorClass, error_json, error_of_answer
from app.gateway import Gateway
from app.graph.call import GraphReply, GraphRequest, GraphUnreachable
from app.web.errors import RETRY, ApiError

MAX_ANSWER_BYTES = 64 * 1024
PASSING = (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)
JSON = (("Content-Type", "application/json"),)


def mark_as_read(gateway: Gateway, received: Event, *, typing: bool) -> None:
    """Tell Meta that a message was read. Raises `ApiError` if Meta refuses it, or cannot be asked."""
    indicator = {"typing_indicator": {"type": "text"}} if typing else {}
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": received.raw["id"], **indicator}
    path = f"{received.phone_number_id}/messages"
    request = GraphRequest("POST", path, headers=JSON, body=json.dumps(body).encode("ascii"))
    try:
        with gateway.graph.call(request) as reply:
            _check(reply)
    except GraphUnreachable as error:
        raise ApiError(
            "meta_unavailable", f"Meta is not reached ({error.reason}); try again.", headers=RETRY
        ) from error


def _check(reply: GraphReply) -> None:
    """Raise `ApiError` unless Meta has done it."""
    answer = _read(reply.read(MAX_ANSWER_BYTES))
    error = error_of_answer(answer)
    if error is None:
        if reply.status != 200 or answer.get("success") is not True:
            said = f"Meta has answered HTTP {reply.status} without a word of the Graph API; try again."
            raise ApiError("meta_unavailable", said, headers=RETRY)
        return
    rule = rule_for(error, reply.status)
    details = {"error": error_json(error, rule)}
    if rule.error_class in PASSING:
        said = f"Meta takes no call of this kind for now ({error.summary}); try again later."
        raise ApiError("meta_unavailable", said, details=details, headers=RETRY)
    cure = "" if rule.hint is None else f": {rule.hint}"
    raise ApiError("meta_refused", f"Meta has refused it ({error.summary}){cure}.", details=details)


def _read(body: bytes) -> dict[str, object]:
    try:
        return read_body(body)
    except Unreadable:
        return {}
