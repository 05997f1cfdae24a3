"""Messages of clients that speak Meta's API: `<api>/graph/{version}/{number}/messages`, and `…/marketing_messages`.

They are sent as all messages are: at most once, at the number's pace, and with the configured version of the API. The
client waits for Meta's answer, as it does without wats.
"""

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.domain.message import Endpoint, Message
from app.domain.meta.graph_fields import OF_NO_MESSAGE, is_read_receipt, names_of_query, refused_call, refused_field
from app.domain.meta.graph_path import GraphPath
from app.graph.call import GraphRequest
from app.messages.accept import Accepted, Refused, Submission, accept, repeat_key
from app.messages.graph_answers import (
    accepted_json,
    ending_without_meta,
    is_answered,
    refused_json,
    still_open,
)
from app.messages.routes import answer_waits, idempotency_key
from app.store import StoreError
from app.web.current import gateway
from app.web.errors import RETRY, ApiError, not_passed_on
from app.web.graph_calls import GRAPH_CALL
from app.web.graph_passing import client_is_gone, pass_on
from app.web.guards import bearer, guarded_by, name_of_caller
from app.web.json_body import body_of, parse_json
from app.web.long_polls import long_polls
from app.web.middleware import MESSAGE, TRACE
from app.web.query_parameters import accepts_any_query

bp = Blueprint("graph_messages", __name__)

WAIT_SECONDS = 30


@bp.post("/graph/<version>/<number>/messages")
@guarded_by(bearer("graph"))
@accepts_any_query
def send_graph_message(version: str, number: str) -> Response:  # noqa: ARG001 - the version is the configured one
    """Send a message, or mark one of a customer's as read."""
    return _send(number, "messages")


@bp.post("/graph/<version>/<number>/marketing_messages")
@guarded_by(bearer("graph"))
@accepts_any_query
def send_graph_marketing_message(version: str, number: str) -> Response:  # noqa: ARG001
    """Send a marketing template by the Marketing Messages API."""
    return _send(number, "marketing_messages")


def _send(number: str, endpoint: Endpoint) -> Response:
    if number not in gateway().settings.whatsapp.phone_number_ids:
        raise ApiError("unknown_number", f"The profile of wats has no phone number with the id {number}.")
    written = _written_body()
    body = parse_json(written)
    if endpoint == "messages" and is_read_receipt(body):
        return _pass_receipt(number, written)
    submission = Submission(
        _with_sender(body, number),
        idempotency_key(),
        endpoint,
        as_sent_to_meta=True,
        client=name_of_caller(),
        trace=request.environ[TRACE],
    )
    with long_polls().slot() as has_slot:
        if not has_slot:
            raise ApiError("busy", "Too many requests wait for Meta; try again in a few seconds.", headers=RETRY)
        [result] = accept(gateway(), [submission])
        if isinstance(result, Refused):
            raise ApiError(result.code, result.message, details=result.details)
        request.environ[MESSAGE] = result.message.id
        message = answer_waits().wait_in_slot(result.message, WAIT_SECONDS, is_answered, client_is_gone)
    return _answer(message, submission, result)


def _written_body() -> bytes:
    """Return the bytes of the JSON body. Raises `ApiError` if the request carries a message in any other way."""
    query = request.environ["QUERY_STRING"]
    reason = refused_call(query, request.headers.keys())
    if reason is None and not OF_NO_MESSAGE.issuperset(names_of_query(query)):
        reason = "the fields of a message belong into its JSON body, not into the query"
    if reason is None and not request.is_json:
        reason = "a message is sent as JSON, with the Content-Type application/json"
    if reason is not None:
        raise not_passed_on(reason)
    return body_of(request)


def _with_sender(body: Any, number: str) -> Any:
    """Return the body with `from`, as our own API has it. Raises `ApiError` for fields that no message may have."""
    if not isinstance(body, dict):
        return body
    reason = refused_field(body)
    if "status" in body:
        reason = "`status` marks a customer's message as read: it cannot be sent beside a field of a message"
    if "from" in body:
        reason = "the sender is the number in the path, and `from` is no field of a message"
    if reason is not None:
        raise not_passed_on(reason)
    return {**body, "from": number}


def _pass_receipt(number: str, body: bytes) -> Response:
    call: GraphPath = request.environ[GRAPH_CALL]
    headers = [("Content-Type", "application/json")]
    return pass_on(GraphRequest("POST", f"{number}/messages", "", headers, body, version=call.version))


def _answer(message: Message, submission: Submission, accepted: Accepted) -> Response:
    headers = {"X-Wats-Message-Id": message.id}
    if accepted.is_replay:
        headers["Idempotency-Replayed"] = "true"
    if not is_answered(message):
        raise ApiError("message_pending", still_open(message, WAIT_SECONDS), headers=headers)
    _forget_repeats(message, submission)
    if message.wamid is not None:
        status, document = 200, accepted_json(message, submission.body)
    elif (refused := refused_json(message)) is not None:
        status, document = refused
    else:
        raise ApiError(*ending_without_meta(message), headers=headers)
    response = jsonify(document)
    response.status_code = status
    response.headers.extend(headers)
    return response


def _forget_repeats(message: Message, submission: Submission) -> None:
    """Let the same body be a new message from now on, unless the client has gone and missed its answer.

    If the store fails, the key expires by itself. The client gets its answer all the same: it must repeat nothing.
    """
    key = repeat_key(submission)
    if key is not None and not client_is_gone():
        with suppress(StoreError):
            gateway().store.messages.forget_key(key, message.id)
