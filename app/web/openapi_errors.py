"""The errors of the OpenAPI document: a response for each status, with an example for each code that it may have."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from app.web.errors import STATUS_OF
from app.web.openapi_examples import VALUES

ERROR = {"$ref": "#/components/schemas/Error"}
MESSAGES: Mapping[str, str] = {
    "answer_lost": "Meta's answer was lost; the call may have been done.",
    "bad_request": "Bad Request.",
    "body_timeout": "The body did not arrive in time.",
    "body_too_large": "The body is larger than 1048576 bytes.",
    "busy": "Too many bodies are being received; try again.",
    "erased": "The message belonged to a contact that was erased.",
    "expectation_failed": "Expectation Failed.",
    "forbidden": "The token lacks the scope operate.",
    "headers_timeout": "Request Timeout.",
    "headers_too_large": "Request Header Fields Too Large.",
    "idempotency_conflict": "The Idempotency-Key was used for another request.",
    "internal_error": "An internal error; the log has its trace.",
    "invalid_body": "The body is cut short.",
    "invalid_cursor": "The cursor is not one of this list.",
    "invalid_fields": "Fields of the body are missing or wrong.",
    "invalid_handshake": "hub.mode must be subscribe, and hub.challenge given once.",
    "invalid_json": "The body is no JSON.",
    "invalid_limit": "limit must be a number from 1 to 100.",
    "invalid_parameter": "until must be later than since.",
    "invalid_signature_format": "X-Hub-Signature-256 must be sha256= and 64 lowercase hex digits.",
    "length_required": "Length Required.",
    "media_refused": "An image may have 5 MB.",
    "message_pending": f"Meta has not answered in time; {VALUES['message_id']} is not lost, do not send it again.",
    "meta_refused": "Meta refused the call: (#100) Invalid parameter.",
    "meta_unavailable": "Meta did not answer; try again.",
    "method_not_allowed": "Method Not Allowed.",
    "missing_signature": "X-Hub-Signature-256 is missing.",
    "no_wamid": "Meta has given the message no id.",
    "not_dead": "The delivery is no dead letter.",
    "not_fetching": "Files are not fetched on arrival: set media.fetchOnArrival.",
    "not_found": "Not Found.",
    "not_inbound": "The message is none of a customer's.",
    "not_passed_on": "wats does not pass this on: the root takes batches only.",
    "not_queued": "The message does not wait any more.",
    "not_unknown": "The message is not unknown.",
    "not_unreadable": "The receipt is not unreadable.",
    "signature_mismatch": "The signature does not match.",
    "too_many": "There are too many consumers already.",
    "too_young": "A status may still come; wait, or force it.",
    "unauthorized": "A valid bearer token is needed.",
    "unavailable": "The store is unavailable; try again.",
    "unknown_destination": "The config has no destination crm any more.",
    "unknown_number": "The config lists no such phone number.",
    "unsupported_coding": "Not Implemented.",
    "unsupported_media_type": "The body must be application/json.",
    "uri_too_long": "URI Too Long.",
    "verify_token_mismatch": "The verify token is wrong.",
    "window_closed": "The 24 h window is closed: send a template.",
}
"""An example of the message of each code. The text may change in any release; the code does not."""


def error_responses(codes: Iterable[str]) -> dict[str, Any]:
    """Return the responses for these codes, by status."""
    by_status = defaultdict(list)
    for code in sorted(codes):
        by_status[STATUS_OF[code]].append(code)
    return {
        str(status): {
            "description": f"{HTTP_STATUS_CODES[status]}: {', '.join(f'`{code}`' for code in named)}.",
            "content": {"application/json": {"schema": ERROR, "examples": references(named)}},
        }
        for status, named in sorted(by_status.items())
    }


def references(names: Iterable[str]) -> dict[str, Any]:
    """Return examples that refer to those of the document's components."""
    return {name: {"$ref": f"#/components/examples/{name}"} for name in names}


def error_examples() -> dict[str, Any]:
    """Return an example of each error, by its code, for the document's components."""
    return {code: {"value": {"error": _error(code, message)}} for code, message in MESSAGES.items()}


def _error(code: str, message: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, "requestId": VALUES["requestId"]}
    return {**error, "details": VALUES["details"]} if code == "invalid_fields" else error
