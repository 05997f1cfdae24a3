"""Rules for every operation of the OpenAPI document: its id, and the errors that it may answer.

Both follow from the route: its view, guard, parameters and body. A view adds only the codes that are its own.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.web.errors import STATUS_OF
from app.web.guards import Guard

View = TypeVar("View", bound=Callable[..., Any])
Operation = dict[str, Any]

_MARK = "__wats_refuses__"

OF_SERVER = (
    "bad_request",
    "expectation_failed",
    "headers_timeout",
    "headers_too_large",
    "unsupported_coding",
    "uri_too_long",
)
"""The errors for requests that the server refuses before it looks which operation is asked for."""

OF_GUARD: Mapping[str, tuple[str, ...]] = {
    "open": (),
    "bearer": ("unauthorized", "forbidden", "invalid_parameter", "unavailable"),
    "hidden": ("not_found", "invalid_parameter", "unavailable"),
    "verify-token": ("verify_token_mismatch", "invalid_handshake"),
    "meta-signature": (
        "missing_signature",
        "signature_mismatch",
        "invalid_signature_format",
        "body_too_large",
        "body_timeout",
        "invalid_body",
        "unavailable",
        "busy",
    ),
}
OF_BODY = (
    "invalid_json",
    "invalid_body",
    "body_timeout",
    "body_too_large",
    "unsupported_media_type",
    "invalid_fields",
    "busy",
)
OF_QUERY = {"cursor": "invalid_cursor", "limit": "invalid_limit"}


def refuses(*codes: str) -> Callable[[View], View]:
    """Name the codes of errors that a view raises itself, beyond those that follow from its route."""
    assert all(code in STATUS_OF for code in codes)

    def mark(view: View) -> View:
        setattr(view, _MARK, codes)
        return view

    return mark


def codes_of(view: Callable[..., Any], guard: Guard, operation: Operation) -> set[str]:
    """Return the codes of the errors that an operation may answer. The parameters of its path belong to it."""
    codes = {"internal_error", *OF_SERVER, *OF_GUARD[guard.name.partition(":")[0]], *getattr(view, _MARK, ())}
    parameters = operation.get("parameters", ())
    codes |= {OF_QUERY[each["name"]] for each in parameters if each["in"] == "query" and each["name"] in OF_QUERY}
    if any(each["in"] == "path" for each in parameters):
        codes.add("not_found")
    if "requestBody" in operation and not guard.name.startswith("meta"):
        codes.update(OF_BODY)
    return codes


def operation_id(view_name: str, method: str, *, has_more_methods: bool, is_alias: bool) -> str:
    """Return an id for generated clients: the view's name, made different where a view has several routes."""
    words = [*view_name.split("_"), *([method.lower()] if has_more_methods else []), *(["alias"] if is_alias else [])]
    return words[0] + "".join(map(str.title, words[1:]))
