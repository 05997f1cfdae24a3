"""Our refusals in the shape of Meta's errors, so that a client of the Graph API reads them."""

from collections.abc import Mapping
from typing import Any

SHAPES: Mapping[str, tuple[int, int]] = {
    "unauthorized": (401, 190),
    "forbidden": (403, 200),
    "not_found": (404, 2500),
    "method_not_allowed": (405, 100),
    "body_timeout": (408, 2),
    "erased": (409, 100),
    "idempotency_conflict": (409, 100),
    "length_required": (411, 100),
    "body_too_large": (413, 100),
    "internal_error": (500, 1),
    "answer_lost": (502, 2),
    "busy": (503, 2),
    "meta_unavailable": (503, 2),
    "unavailable": (503, 2),
    "message_pending": (400, 135000),
    "unknown_number": (400, 100),
    "window_closed": (400, 131047),
}
"""The HTTP status and Meta's code of ours. What is not here is a wrong parameter."""

PARAMETER, WRONG_PARAMETER = 100, 400
SUBCODES = {"unknown_number": 33}
TRANSIENT = {"body_timeout", "busy", "meta_unavailable", "unavailable"}


def meta_error(
    code: str, message: str, details: Mapping[str, Any] | None, request_id: str
) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body of one of our errors. Its `fbtrace_id` is the id of the request."""
    status, number = SHAPES.get(code, (WRONG_PARAMETER, PARAMETER))
    error: dict[str, Any] = {"message": f"(#{number}) {message}", "type": "OAuthException", "code": number}
    if code in SUBCODES:
        error["error_subcode"] = SUBCODES[code]
    data = {"messaging_product": "whatsapp", "details": _details(message, details)}
    return status, {
        "error": {**error, "error_data": data, "is_transient": code in TRANSIENT, "fbtrace_id": request_id}
    }


def _details(message: str, details: Mapping[str, Any] | None) -> str:
    """Return what is wrong with each field, or the message itself."""
    fields = (details or {}).get("fields", ())
    sentences = [
        " ".join(str(field[name]) for name in ("pointer", "message", "hint") if name in field) for field in fields
    ]
    return "; ".join(sentences) or message
