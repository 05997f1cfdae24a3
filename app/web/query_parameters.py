"""Query parameters: a route accepts only those that it documents.

Any other is refused: with a misspelt filter that is ignored, the response would look like the answer to the filter.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request
from flask_smorest import Blueprint

from app.web.errors import ApiError

View = TypeVar("View", bound=Callable[..., Any])


def accepts_query(blueprint: Blueprint, *parameters: Mapping[str, Any]) -> Callable[[View], View]:
    """Document the query parameters of a view; refuse any other, or one of them given twice, with 400."""
    names = [str(parameter["name"]) for parameter in parameters]
    message = f"The query parameters are {', '.join(names)}; no others are accepted, and each may be given only once."

    def decorate(view: View) -> View:
        @wraps(view)
        def with_known_parameters(*args: Any, **kwargs: Any) -> Any:
            if any(name not in names or len(given) > 1 for name, given in request.args.lists()):
                raise ApiError("invalid_parameter", message)
            return view(*args, **kwargs)

        return cast("View", blueprint.doc(parameters=[*parameters])(with_known_parameters))

    return decorate
