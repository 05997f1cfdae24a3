"""Query parameters: a route accepts only those that it documents.

Any other is refused: with a misspelt filter that is ignored, the response would look like the answer to the filter.
Open routes take any: a probe or a browser may add one.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypeVar

import marshmallow as ma
from flask import Flask, current_app, request
from flask_smorest import Blueprint

from app.web.errors import ApiError
from app.web.guards import OPEN, guard_of
from app.web.schemas import Timestamp

View = TypeVar("View", bound=Callable[..., Any])

TIME = {"format": "date-time"}

_MARK = "__wats_query__"
_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}\Z)")
"""The sign of a zone that the client did not encode: a `+` in a query is a space."""


def accepts_query(blueprint: Blueprint, *parameters: Mapping[str, Any]) -> Callable[[View], View]:
    """Document the query parameters of a view; any other, or one of them given twice, is refused with 400."""

    def decorate(view: View) -> View:
        setattr(view, _MARK, tuple(str(parameter["name"]) for parameter in parameters))
        documented: View = blueprint.doc(parameters=[*parameters])(view)
        return documented

    return decorate


def accepts_any_query(view: View) -> View:
    """Let a view see every query parameter: it passes them on, or judges them itself."""
    setattr(view, _MARK, None)
    return view


def register_query_parameters(app: Flask) -> None:
    """Check the query parameters of every request that its guard has let in."""
    app.before_request(_check_query)


def read_matching(name: str, pattern: re.Pattern[str], expected: str) -> str | None:
    """Return a query parameter, None if it is not given. Raise `ApiError` (400) if it does not match the pattern."""
    value = request.args.get(name)
    if value is not None and not pattern.fullmatch(value):
        raise ApiError("invalid_parameter", f"{name} must be {expected}.")
    return value


def range_parameters(what: str) -> tuple[dict[str, Any], ...]:
    """Return the parameters `since` and `until`; `what` begins their descriptions."""
    limits = {"since": "at this time or later", "until": "before this time"}
    return tuple(
        {"in": "query", "name": name, "schema": {"type": "string", **TIME}, "description": f"{what} {limit}."}
        for name, limit in limits.items()
    )


def read_range() -> tuple[datetime | None, datetime | None]:
    """Return the times `since` and `until`. Raise `ApiError` (400) if one is no time, or if no time lies between."""
    since, until = _read_time("since"), _read_time("until")
    if since is not None and until is not None and until <= since:
        raise ApiError("invalid_parameter", "until must be later than since.")
    return since, until


def _read_time(name: str) -> datetime | None:
    value = request.args.get(name)
    if value is None:
        return None
    try:
        time: datetime = Timestamp().deserialize(_PLUS.sub("+", value), name)
    except ma.ValidationError as error:
        raise ApiError("invalid_parameter", f"{name}: {Timestamp.EXPECTED}") from error
    return time


def _check_query() -> None:
    if not request.query_string or request.url_rule is None:
        return
    app, endpoint = current_app, request.url_rule.endpoint
    accepted = getattr(app.view_functions[endpoint], _MARK, ())
    if accepted is None or guard_of(app, endpoint) is OPEN:
        return
    for name, given in request.args.lists():
        if name not in accepted:
            raise ApiError("invalid_parameter", _unknown(name, accepted))
        if len(given) > 1:
            raise ApiError("invalid_parameter", f"{name} may be given only once.")


def _unknown(name: str, accepted: tuple[str, ...]) -> str:
    """Return the text about an unknown parameter. It repeats the name only if that is nearly a right one."""
    near = get_close_matches(name[:100], accepted, 1)
    hint = f" {name} is not one; did you mean {near[0]}?" if near else ""
    if not accepted:
        return "This route takes no query parameter."
    return f"The query parameters are {', '.join(accepted)}; no other is accepted.{hint}"
