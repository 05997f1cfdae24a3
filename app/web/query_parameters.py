"""Query parameters: a route takes those that it documents. Any other is a mistake, and not to be passed over:
a misspelt filter would look like an answer to what was asked."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request
from flask_smorest import Blueprint

from app.web.errors import ApiError

View = TypeVar("View", bound=Callable[..., Any])


def accepts_query(blueprint: Blueprint, *parameters: Mapping[str, Any]) -> Callable[[View], View]:
    """The query parameters of a view, as OpenAPI describes them; a request with any other, or with one of
    them twice, is refused with 400."""
    names = [str(parameter["name"]) for parameter in parameters]
    wrong = f"The query parameters are {', '.join(names)}; there is no other, and each is given once at most."

    def decorate(view: View) -> View:
        @wraps(view)
        def with_known_parameters(*arguments: Any, **more: Any) -> Any:
            if any(name not in names or len(given) > 1 for name, given in request.args.lists()):
                raise ApiError("invalid_parameter", wrong)
            return view(*arguments, **more)

        return cast("View", blueprint.doc(parameters=[*parameters])(with_known_parameters))

    return decorate
