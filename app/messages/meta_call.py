"""Makes one call to Meta while a client waits. A failure becomes an API error with Meta's or the network's reason."""

from datetime import timedelta
from typing import Any

from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import ErrorClass, GraphError, error_json
from app.domain.meta.usage import asked_delay
from app.gateway import Gateway
from app.graph.call import GraphRequest, GraphUnreachable
from app.messages.ask_meta import ask_meta
from app.web.errors import RETRY, ApiError
from app.web.meta_calls import meta_calls, retry_as_asked, retry_of

TEMPORARY = (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)


def call_meta(gateway: Gateway, request: GraphRequest) -> dict[str, Any]:
    """Return Meta's answer. Raises `ApiError` if Meta refuses the call, or cannot be reached."""
    try:
        with meta_calls().one():
            answer = ask_meta(gateway.graph, request)
    except GraphUnreachable as failure:
        text = f"Meta is not reached ({failure.reason}); try again."
        raise ApiError("meta_unavailable", text, headers=retry_of(failure)) from failure
    if answer.error is not None:
        asked = asked_delay(answer.headers, gateway.clock())
        raise _refused(answer.error, answer.status, asked)
    if not answer.is_success or answer.document is None:
        raise not_understood(answer.status)
    return answer.document


def not_understood(status: int) -> ApiError:
    """Return the error for an answer that is not of the Graph API's form."""
    text = f"Meta has answered HTTP {status}, but not in the form of the Graph API; try again."
    return ApiError("meta_unavailable", text, headers=RETRY)


def _refused(error: GraphError, status: int, asked: timedelta) -> ApiError:
    rule = rule_for(error, status)
    details = {"error": error_json(error, rule)}
    if rule.error_class in TEMPORARY:
        text = f"Meta takes no call of this kind for now ({error.summary}); try again later."
        return ApiError("meta_unavailable", text, details=details, headers=retry_as_asked(asked))
    cure = "" if rule.hint is None else f": {rule.hint}"
    return ApiError("meta_refused", f"Meta has refused it ({error.summary}){cure}.", details=details)
