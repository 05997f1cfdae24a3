"""The API of messages: accept them singly and in batches, list and show them, and decide about them."""

import re
from typing import Any

from flask import Response, current_app, jsonify, request
from werkzeug.http import parse_list_header

from app.domain.message import UNANSWERED
from app.domain.meta.payloads.check import Payload, text_payload
from app.messages.accept import Accepted, Refused, Result, Submission, accept, invalid_fields
from app.messages.batch import IDEMPOTENCY_KEY, accept_batch
from app.messages.lists import FILTERS, either_as_json, existing_message, message_page, received_message
from app.messages.read import mark_as_read
from app.messages.schemas import (
    BatchRequestSchema,
    BatchResponseSchema,
    MessageRequestSchema,
    MessageSchema,
    ReadRequestSchema,
    ReadSchema,
    TextRequestSchema,
    written_message,
)
from app.messages.wait import AnswerWaits
from app.web.current import gateway
from app.web.errors import STATUS_OF, ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.long_polls import long_polls
from app.web.middleware import MESSAGE as MESSAGE_IN_LOG
from app.web.middleware import REQUEST_ID, TRACE
from app.web.openapi_operations import refuses
from app.web.paging import PAGE_PARAMETERS
from app.web.query_parameters import accepts_query
from app.web.schemas import page_of

bp = JsonBlueprint("messages", __name__, description="Messages to customers.")

MAX_WAIT_SECONDS = 30
_WAIT = re.compile(r"""wait\s*=\s*("?)([0-9]{1,9})\1\s*(;.*)?""", re.ASCII | re.IGNORECASE)

REQUEST_HEADERS = (
    {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "The same key with the same body makes one message, however often it is sent.",
    },
    {
        "in": "header",
        "name": "Prefer",
        "schema": {"type": "string"},
        "description": "`wait=N`: answer when Meta has answered, after N seconds (up to 30) at the latest.",
    },
)


@bp.post("/messages")
@guarded_by(bearer("send"))
@refuses("idempotency_conflict", "erased", "window_closed")
@bp.doc(parameters=[*REQUEST_HEADERS])
@bp.arguments(MessageRequestSchema)
@bp.response(202, MessageSchema)
@bp.alt_response(200, schema=MessageSchema, description="Meta has answered in time.")
def send_message(body: dict[str, Any]) -> Response:
    """Accept a message. It is sent in the background, at most once; its statuses say what became of it."""
    return _respond(_accept_one(body))


@bp.post("/messages/text")
@guarded_by(bearer("send"))
@refuses("idempotency_conflict", "erased", "window_closed")
@bp.doc(parameters=[*REQUEST_HEADERS])
@bp.arguments(TextRequestSchema)
@bp.response(202, MessageSchema)
@bp.alt_response(200, schema=MessageSchema, description="Meta has answered in time.")
def send_text(body: dict[str, Any]) -> Response:
    """Accept a text message in its short form: `to`, `text`, and `previewUrl` if there is a link to preview."""
    payload = text_payload(body)
    if not isinstance(payload, Payload):
        raise _error(invalid_fields(payload))
    sender = {} if payload.sender is None else {"from": payload.sender}
    return _respond(_accept_one({**payload.body, **sender}))


@bp.post("/messages/batch")
@guarded_by(bearer("send"))
@bp.arguments(BatchRequestSchema)
@bp.response(200, BatchResponseSchema)
def send_batch(body: dict[str, Any]) -> Response:
    """Accept up to 1000 messages in one transaction. Each has its own key and its own result."""
    results = accept_batch(gateway(), body["messages"], request.environ[TRACE])
    return jsonify(results=[_result_json(result) for result in results])


@bp.get("/messages")
@guarded_by(bearer("read"))
@accepts_query(bp, *FILTERS, *PAGE_PARAMETERS)
@bp.response(200, page_of(MessageSchema))
def list_messages() -> dict[str, Any]:
    """List messages to customers and of customers, newest first."""
    return message_page(request.args, request.args.get("contact"))


@bp.get("/messages/<path:message_id>")
@guarded_by(bearer("read"))
@bp.response(200, MessageSchema)
def show_message(message_id: str) -> dict[str, Any]:
    """Show one message, by its id or by the id that Meta gave it. A customer's message has its event's id."""
    message = gateway().store.messages.get(message_id) or received_message(message_id)
    if message is None:
        raise no_such("message", message_id)
    [shown] = either_as_json([message])
    return shown


@bp.post("/messages/<path:message_id>/read")
@guarded_by(bearer("send"))
@refuses("not_inbound", "busy", "meta_refused", "meta_unavailable")
@bp.arguments(ReadRequestSchema)
@bp.response(200, ReadSchema)
def read_message(body: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Mark a customer's message as read, at once; all earlier ones of the customer are then read too.

    With `typing` the customer sees for up to 25 seconds that an answer is being written.
    """
    received = received_message(message_id)
    if received is None:
        sent = existing_message(message_id)
        raise ApiError("not_inbound", f"Only a customer's message can be marked as read; {sent.id} is to a customer.")
    mark_as_read(gateway(), received, typing=body["typing"])
    return {"read": True}


def _accept_one(body: Any) -> Accepted:
    [result] = accept(gateway(), [Submission(body, idempotency_key(), trace=request.environ[TRACE])])
    if isinstance(result, Refused):
        raise _error(result)
    request.environ[MESSAGE_IN_LOG] = result.message.id
    return result


def answer_waits() -> AnswerWaits:
    """Return the waits for Meta's answers of this process; the first call makes the object."""
    if AnswerWaits.__name__ not in current_app.extensions:
        current_app.extensions[AnswerWaits.__name__] = AnswerWaits(gateway().store, long_polls())
    waits: AnswerWaits = current_app.extensions[AnswerWaits.__name__]
    return waits


def _respond(accepted: Accepted) -> Response:
    message, seconds = accepted.message, _seconds_to_wait()
    if seconds:
        message = answer_waits().wait(message, seconds)
    is_answered = seconds > 0 and message.status not in UNANSWERED
    response = jsonify(written_message(message, accepted.warnings))
    response.status_code = 200 if is_answered else 202
    response.headers["Location"] = f"{gateway().settings.service.api_prefix}/messages/{message.id}"
    if accepted.is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _result_json(result: Result) -> dict[str, Any]:
    if isinstance(result, Accepted):
        replayed = {"replayed": True} if result.is_replay else {}
        return {"status": 202, **replayed, "message": written_message(result.message, result.warnings)}
    details = {"details": result.details} if result.details else {}
    error = {"code": result.code, "message": result.message, "requestId": request.environ[REQUEST_ID], **details}
    return {"status": STATUS_OF[result.code], "error": error}


def _error(refused: Refused) -> ApiError:
    return ApiError(refused.code, refused.message, details=refused.details)


def idempotency_key() -> str | None:
    """Return the idempotency key of the current request, if it has one. Raises `ApiError` if it is malformed."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise ApiError("invalid_parameter", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


def _seconds_to_wait() -> int:
    """Return the seconds of `Prefer: wait=N`, 0 without it. Other preferences are ignored (RFC 7240)."""
    preferences = parse_list_header(request.headers.get("Prefer", ""))
    waits = [int(match[2]) for part in preferences if (match := _WAIT.fullmatch(part))]
    return min(waits[0], MAX_WAIT_SECONDS) if waits else 0
