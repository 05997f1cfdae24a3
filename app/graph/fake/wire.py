"""A call to the fake and its answer, free of any HTTP server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain.compact_json import compact_json

Line = Literal["whole", "cut", "reset", "half", "drip"]
"""How an answer is sent: all of its bytes; none, as the line is closed or reset before the first; half of the body;
one byte of the body every `DRIP_SECONDS`."""

DRIP_SECONDS = 1.0
ORIGIN = "https://graph.facebook.com"
"""Where the fake of a dry-run says that it is. Nothing is called there: its client hands every call to the fake."""

LAST_QUESTION = "_last_question"
"""An edge of a number that Graph does not have: what was last sent to a `customer`, and the choices in it."""

CUSTOMER_ACTED = "_customer_acted"
"""An edge of a number that Graph does not have: what a customer does whose webhook is posted by another than Meta."""

JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Call:
    """A request. `path`: without the version; `headers`: names in lower case; `origin`: how the caller reaches us."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str | None = None
    origin: str = ORIGIN

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Answer:
    """A response, with how it goes out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    line: Line = "whole"
    delay_seconds: float = 0.0


def json_answer(data: Any, status: int = 200) -> Answer:
    """Return an answer as Graph makes it."""
    return Answer(status, encode(data), {"Content-Type": JSON_TYPE})


def html_answer(status: int) -> Answer:
    """Return an answer as an edge in front of Graph makes it."""
    page = (
        f"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong ({status})</body>"
    )
    return Answer(status, f"{page}</html>".encode(), {"Content-Type": HTML_TYPE})


def encode(data: Any) -> bytes:
    """Encode as Meta does: ASCII with escapes, `/` as `\\/`, no blank and no final newline."""
    return compact_json(data).replace("/", "\\/").encode()
