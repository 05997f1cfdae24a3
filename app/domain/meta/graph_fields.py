"""Fields that no call of a client may have, wherever they stand: in the query, in a form or in JSON."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

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
_ENDS = re.compile(r"[\[\0]")
_UNDERSCORES = re.compile(r"[ .]")


def plain_name(name: str) -> str:
    """Return the name of a field as PHP reads it, which Graph is written in a relative of, and in lower case.

    There `access.token`, ` access_token` and `access_token[0]` are `access_token`.
    """
    return _UNDERSCORES.sub("_", _ENDS.split(name.lstrip())[0].rstrip()).lower()


def refused_field(names: Iterable[str]) -> str | None:
    """Return why one of these fields is refused, or None."""
    for name in names:
        plain = plain_name(name)
        if plain in REASONS:
            return f"the field `{plain}` is not passed on: {REASONS[plain]}"
    return None


def refused_call(query: str, headers: Iterable[str]) -> str | None:
    """Return why a call is refused for its query or for the names of its headers, or None."""
    if any(name.lower() in METHOD_HEADERS for name in headers):
        return f"the method of a call is that of its request line; leave {' and '.join(METHOD_HEADERS)} out"
    return refused_field(names_of_query(query))


def names_of_query(query: str) -> list[str]:
    """Return the names of the parameters in a query, or of the fields in a form."""
    return [name for name, _ in parse_qsl(query, keep_blank_values=True, errors="replace")]


def is_read_receipt(body: object) -> bool:
    """Return whether a body marks a customer's message as read, and can be nothing else."""
    return isinstance(body, dict) and body.get("status") == "read" and READ_RECEIPT.issuperset(body)
