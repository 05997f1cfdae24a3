"""Fields that no call of a client may have, wherever they are: in the query, in a form or in JSON."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

REASONS = {
    "access_token": "the token belongs in the header Authorization, where wats puts Meta's in its place",
    "method": "the method of a request is that of its request line",
    "batch": "make the calls one by one: a batch would pass messages by the queue",
    "adbatch": "make the calls one by one: a batch would pass messages by the queue",
    "callback": "JSONP is not passed on",
}
METHOD_HEADERS = ("x-http-method-override", "x-http-method", "x-method-override")

OF_NO_MESSAGE = {"appsecret_proof", "appsecret_time", "debug", "pretty", "locale", "suppress_http_code"}
"""Fields that SDKs add to every query. They change nothing about a message, and are not sent with it."""

READ_RECEIPT = {"messaging_product", "status", "message_id", "typing_indicator"}
_UNDERSCORES = re.compile(r"[ .\[]")
_SEPARATORS = re.compile(r"[&;]")
_TOKEN_ASKED = re.compile(r"\baccess_token\b", re.IGNORECASE)
ASKED = "`fields` does not ask for `access_token`: a token of Meta's is not handed out"


def plain_names(name: str) -> tuple[str, str]:
    """Return the names of a field as PHP may read it, in lower case. Graph is written in a dialect of PHP.

    There `access.token`, ` access_token`, `access_token[0]` and `access[token` are `access_token`: what follows
    `[` is an index if there is a `]`, otherwise a part of the name.
    """
    written = name.lstrip().partition("\0")[0]
    return _plain(written.partition("[")[0]), _plain(written)


def _plain(name: str) -> str:
    return _UNDERSCORES.sub("_", name.rstrip()).lower()


def refused_field(names: Iterable[str]) -> str | None:
    """Return why one of these fields is refused, or None."""
    for name in names:
        for plain in plain_names(name):
            if plain in REASONS:
                return f"the field `{plain}` is not passed on: {REASONS[plain]}"
    return None


def refused_call(query: str, headers: Iterable[str]) -> str | None:
    """Return why a call is refused for its query or for the names of its headers, or None."""
    if any(name.lower() in METHOD_HEADERS for name in headers):
        return f"the method of a call is that of its request line; leave {' and '.join(METHOD_HEADERS)} out"
    return refused_form(query)


def refused_form(form: str) -> str | None:
    """Return why a query or a form is refused, or None."""
    return refused_field(names_of_query(form)) or next(
        (ASKED for name, value in _fields_of(form) if "fields" in plain_names(name) and asks_for_token(value)), None
    )


def asks_for_token(fields: object) -> bool:
    """Return whether the value of `fields` names Meta's tokens. Its answer could have them under any other name."""
    return _TOKEN_ASKED.search(str(fields)) is not None


def names_of_query(query: str) -> list[str]:
    """Return the names of the parameters in a query, or of the fields in a form."""
    return [name for name, _ in _fields_of(query)]


def _fields_of(form: str) -> Iterator[tuple[str, str]]:
    """Yield names and values. Some readers take `;` for a separator too."""
    for field in filter(None, _SEPARATORS.split(form)):
        name, _, value = field.partition("=")
        yield unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace")


def is_read_receipt(body: object) -> bool:
    """Return whether a body marks a customer's message as read, and can be nothing else."""
    return isinstance(body, dict) and body.get("status") == "read" and READ_RECEIPT.issuperset(body)
