"""One call to Meta while a client waits for it: the answer, or an error that says what Meta or the network said."""

from typing import Any

from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import ErrorClass, GraphError, error_json, error_of_answer
from app.gateway import Gateway
from app.graph.call import GraphRequest, GraphUnreachable
from app.web.errors import RETRY, ApiError

MAX_ANSWER_BYTES = 64 * 1024
SUCCESS = 200
PASSING = (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)


def call_meta(gateway: Gateway, request: GraphRequest) -> dict[str, Any]:
    """Return what Meta answers. Raises `ApiError` if Meta refuses the call, or cannot be asked."""
    try:
        with gateway.graph.call(request) as reply:
            answer = _read(reply.read(MAX_ANSWER_BYTES))
    except GraphUnreachable as failure:
        said = f"Meta is not reached ({failure.reason}); try again."
        raise ApiError("meta_unavailable", said, headers=RETRY) from failure
    if (error := error_of_answer(answer)) is not None:
        raise _refused(error, reply.status)
    if reply.status != SUCCESS or answer is None:
        raise not_understood(reply.status)
    return answer


def not_understood(status: int) -> ApiError:
    """Return the error for an answer that is no word of the Graph API."""
    said = f"Meta has answered HTTP {status} without a word of the Graph API; try again."
    return ApiError("meta_unavailable", said, headers=RETRY)


def _refused(error: GraphError, status: int) -> ApiError:
    rule = rule_for(error, status)
    details = {"error": error_json(error, rule)}
    if rule.error_class in PASSING:
        said = f"Meta takes no call of this kind for now ({error.summary}); try again later."
        return ApiError("meta_unavailable", said, details=details, headers=RETRY)
    cure = "" if rule.hint is None else f": {rule.hint}"
    return ApiError("meta_refused", f"Meta has refused it ({error.summary}){cure}.", details=details)


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        return read_body(body)
    except Unreadable:
        return None
