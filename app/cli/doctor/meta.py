"""Reading from the Graph API for `doctor`: GET only, nothing is changed at Meta."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import error_of_answer
from app.graph.call import GraphApi, GraphRequest

MAX_BYTES = 1024 * 1024
VERSION_HEADER = "facebook-api-version"
OTHERWISE = "look the code up: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
NOT_META = (
    "something in between answers in Meta's place: look at `graph.baseUrl` and at proxies, or at metastatus.com"
)


@dataclass(frozen=True)
class GraphAnswer:
    """Meta's answer: an object, or why Meta refuses and what to do about that."""

    content: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""
    cure: str = ""
    version: str | None = None

    @property
    def items(self) -> list[dict[str, Any]]:
        """Return the objects of a list."""
        data = self.content.get("data")
        return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


@dataclass(frozen=True)
class Reader:
    """Reads nodes and edges. Raises `GraphUnreachable`."""

    graph: GraphApi

    def get(self, path: str, **query: str) -> GraphAnswer:
        """GET a path below the version."""
        with self.graph.call(GraphRequest("GET", path, urlencode(query))) as reply:
            body, version = reply.read(MAX_BYTES), reply.header(VERSION_HEADER)
        content = _object(body)
        failure = error_of_answer(content)
        if failure is not None:
            hint = rule_for(failure, reply.status).hint
            return GraphAnswer(refusal=f"Meta says {failure.summary}", cure=hint or OTHERWISE, version=version)
        if not 200 <= reply.status < 300:
            return GraphAnswer(refusal=f"HTTP {reply.status} without an error of the Graph API", cure=NOT_META)
        return GraphAnswer(content, version=version)


def texts(node: Mapping[str, Any], *names: str) -> list[str]:
    """Return those of these fields that are texts."""
    return [value for name in names if isinstance(value := node.get(name), str) and value]


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
