"""An error of the Graph API as a value, and what it can mean for a message.

Meta sends an error in two shapes. An answer is `{"error": {…}}`; a list in a webhook holds the object itself, under
other names. What Meta has sent is kept as it came: a later status may not repeat it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.domain.meta.scalars import text
from app.domain.stored_word import StoredWord

KEPT = (
    "message",
    "title",
    "type",
    "code",
    "error_subcode",
    "error_user_title",
    "error_user_msg",
    "error_data",
    "fbtrace_id",
    "is_transient",
    "href",
)
"""The fields of an error object that Meta documents. They are always kept, unchanged."""

OURS = frozenset({"class", "hint", "httpStatus", "tries"})
"""The fields that wats adds to the error of a message."""

MAX_FURTHER_CHARACTERS = 4096
"""Further fields of an error object are kept up to this size together."""

MAX_CODE = 10**9
_OF_TOKEN = re.compile(r"(?i:token)|EAA")
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True)
class GraphError:
    """An error that Meta named by a code. `verbatim` holds what is kept of its object, as Meta wrote it."""

    code: int
    subcode: int | None = None
    message: str | None = None
    details: str | None = None
    trace_id: str | None = None
    is_transient: bool = False
    verbatim: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def number(self) -> str:
        """Code and subcode, as one text."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"

    @property
    def summary(self) -> str:
        """Code, subcode and what Meta said, as one text."""
        said = self.details or self.message
        return self.number if said is None else f"{self.number}: {said}"


class ErrorClass(StoredWord):
    """How sending reacts to an error. Those from `content` on end the message."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    COOLED = "cooled"
    PAIR_THROTTLED = "pair_throttled"
    PARKED = "parked"
    STOPPED = "stopped"
    CONTENT = "content"
    RECIPIENT = "recipient"
    REQUEST = "request"
    UNRELATED = "unrelated"
    OTHER = "other"


class ErrorScope(StrEnum):
    """The scope of an error. `app`: every number whose token belongs to the same app."""

    APP = "app"
    WABA = "waba"
    NUMBER = "number"
    PAIR = "pair"
    CONTACT = "contact"
    TEMPLATE = "template"
    FLOW = "flow"
    MESSAGE = "message"


@dataclass(frozen=True)
class ErrorRule:
    """The meaning of an error. `max_tries`: how many POSTs of one message may end with it (None: until it expires).

    `pause`: how long a parked message waits. `alerts`: raise an alert, although sending goes on. `holds`: other
    messages of the same template, flow or marketing are held back for `pause`, or until the scope is resumed.
    """

    error_class: ErrorClass
    scope: ErrorScope = ErrorScope.MESSAGE
    max_tries: int | None = None
    pause: timedelta | None = None
    alerts: bool = False
    hint: str | None = None
    holds: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the message is over at once."""
        return self.error_class in _FINAL

    @property
    def is_of_calls(self) -> bool:
        """Whether the calls of the app or the account are used up, whatever they are about."""
        return self.error_class is ErrorClass.THROTTLED and self.scope in (ErrorScope.APP, ErrorScope.WABA)


_FINAL = {
    ErrorClass.CONTENT,
    ErrorClass.RECIPIENT,
    ErrorClass.REQUEST,
    ErrorClass.UNRELATED,
    ErrorClass.OTHER,
}


def error_of_answer(document: object) -> GraphError | None:
    """Return the error in the body of an answer; None if it holds none, which then is no word of the Graph API."""
    return graph_error(document.get("error")) if isinstance(document, dict) else None


def errors_of_item(item: object) -> Iterator[GraphError]:
    """Yield the errors in `errors` of a status, a message or a value of a webhook."""
    errors = item.get("errors") if isinstance(item, dict) else None
    for document in errors if isinstance(errors, list) else ():
        if (error := graph_error(document)) is not None:
            yield error


def graph_error(document: object) -> GraphError | None:
    """Return the error that an error object of either shape describes; None without a code."""
    if not isinstance(document, dict) or (code := _number(document.get("code"))) is None:
        return None
    return GraphError(
        code,
        _number(document.get("error_subcode")),
        text(document.get("message")) or text(document.get("title")),
        _details(document.get("error_data")) or text(document.get("error_user_msg")),
        text(document.get("fbtrace_id")),
        document.get("is_transient") is True,
        _verbatim(document),
    )


def meta_part(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return Meta's object out of the error of a message."""
    return {key: value for key, value in error.items() if key not in OURS}


def _verbatim(document: dict[str, Any]) -> dict[str, Any]:
    """Return an error object as Meta wrote it, without further fields that may hold a token or are too large."""
    further = {key: value for key, value in meta_part(document).items() if key not in KEPT}
    harmless = {key: value for key, value in further.items() if not _OF_TOKEN.search(f"{key} {value}")}
    kept = harmless if len(str(harmless)) <= MAX_FURTHER_CHARACTERS else {}
    return {key: value for key, value in document.items() if key in KEPT or key in kept}


def error_json(error: GraphError | None, rule: ErrorRule, http_status: int | None = None) -> dict[str, Any]:
    """Return an error as the API shows it: Meta's object, or without one the HTTP status, with our class and hint."""
    meta = dict(error.verbatim) if error is not None else {"message": f"HTTP {http_status}"}
    hint = {} if rule.hint is None else {"hint": rule.hint}
    return {**meta, "class": rule.error_class.value, **hint}


def _details(data: object) -> str | None:
    """Return the details, which are in an object, or are a text themselves."""
    return text(data.get("details")) if isinstance(data, dict) else text(data)


def _number(value: object) -> int | None:
    """Return a code. Some partners of Meta send it as a string of digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if type(value) is int and abs(value) < MAX_CODE else None
