"""Makes one call to Meta about messages, and returns the answer as a value. The caller decides what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.graph_errors import GraphError, error_of_answer
from app.domain.meta.message_history import FIELDS
from app.graph.call import GraphApi, GraphRequest, Headers

MAX_ANSWER_BYTES = 64 * 1024
SUCCESS = 200


@dataclass(frozen=True)
class MetaAnswer:
    """`document`: None if it is no JSON object. `error`: Meta's, if it holds one.

    The names of headers are spelt as `Retry-After`.
    """

    status: int
    document: dict[str, Any] | None
    error: GraphError | None
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        """Whether Meta has answered what it was asked."""
        return self.error is None and self.status == SUCCESS and self.document is not None


def ask_meta(graph: GraphApi, request: GraphRequest) -> MetaAnswer:
    """Make the call. Raises `GraphUnreachable`."""
    with graph.call(request) as reply:
        document = _read(reply.read(MAX_ANSWER_BYTES))
    return MetaAnswer(reply.status, document, error_of_answer(document), _by_name(reply.headers))


def history_request(wamid: str, phone_number_id: str) -> GraphRequest:
    """Return the request that asks Meta which statuses a message has had. `wamid`: Meta's id of the message."""
    query = urlencode({"message_id": wamid, "fields": FIELDS})
    return GraphRequest("GET", f"{phone_number_id}/message_history", query)


def _by_name(headers: Headers) -> Mapping[str, str]:
    return {name.title(): value for name, value in headers}


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        return read_body(body)
    except Unreadable:
        return None
