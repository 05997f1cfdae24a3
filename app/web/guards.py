"""Guards: who may come in. Every endpoint names exactly one; one that names none lets nobody in.

A guard looks at the current request and either returns or raises a `ApiError`. All of them are called
from one place, before any view, so that no view can forget it.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from flask import Flask, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from app.config import Scope, ServiceToken
from app.domain.constant_time import constant_time_index
from app.gateway import gateway
from app.web.errors import ApiError, not_found
from app.web.middleware import ROUTE

View = TypeVar("View", bound=Callable[..., object])

_MARK = "__wats_guard__"


class Guard(NamedTuple):
    """A guard's name, as `--print-routes` shows it, and its check. Hidden: it denies being there."""

    name: str
    check: Callable[[], None]
    hidden: bool = False


def guarded_by(guard: Guard) -> Callable[[View], View]:
    """Name the one guard of a view."""

    def name_it(view: View) -> View:
        assert not hasattr(view, _MARK), f"{view.__name__} names two guards"
        setattr(view, _MARK, guard)
        return view

    return name_it


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """The guard that the view of an endpoint names."""
    view = app.view_functions[endpoint]
    return getattr(view, _MARK, None) or getattr(getattr(view, "view_class", None), _MARK, None)


def bearer(scope: Scope) -> Guard:
    """A bearer token with this scope: 401 without one, 403 beyond its scope."""
    return Guard(f"bearer:{scope}", lambda: _require(scope))


def hidden(scope: Scope) -> Guard:
    """A bearer token with this scope; without it the endpoint looks like a path that does not exist."""
    return Guard(f"hidden:{scope}", lambda: _require_or_hide(scope), hidden=True)


def _let_in() -> None:
    """Open to everybody."""


OPEN = Guard("open", _let_in)


def register_guards(app: Flask) -> None:
    """Put the guards in front of every view, and of the paths that have none."""
    app.before_request(_check_in)


def _check_in() -> None:
    rule = request.url_rule
    if rule is None:
        _guard_the_unrouted()
        return
    request.environ[ROUTE] = rule.rule
    guard = guard_of(_app(), rule.endpoint)
    if guard is None:
        raise ApiError("forbidden", "This endpoint names no guard.")
    guard.check()


def _guard_the_unrouted() -> None:
    """Paths without an endpoint: those under the API tell nothing to strangers, not even 404 or 405."""
    if _is_under(request.path, gateway().settings.service.api_prefix):
        if _token_of_caller() is None:
            raise _unauthorized()
    elif isinstance(request.routing_exception, MethodNotAllowed) and _path_is_hidden():
        _require_or_hide("operate")


def _path_is_hidden() -> bool:
    app = _app()
    return any(
        (guard := guard_of(app, rule.endpoint)) is not None and guard.hidden and rule.rule == request.path
        for rule in app.url_map.iter_rules()
    )


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def _require(scope: Scope) -> None:
    caller = _token_of_caller()
    if caller is None:
        raise _unauthorized()
    if scope not in caller.scopes:
        raise ApiError("forbidden", f"This token lacks the scope {scope!r}.")


def _require_or_hide(scope: Scope) -> None:
    caller = _token_of_caller()
    if caller is None or scope not in caller.scopes:
        raise not_found()


def _token_of_caller() -> ServiceToken | None:
    """The configured token that the caller presents."""
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    pairs = [(token, value) for token in gateway().settings.service.tokens for value in token.token.active]
    found = constant_time_index(presented.encode("latin-1"), (value.encode() for _, value in pairs))
    return None if found is None else pairs[found][0]


def _unauthorized() -> ApiError:
    return ApiError(
        "unauthorized", "A valid bearer token is needed.", headers={"WWW-Authenticate": 'Bearer realm="wats"'}
    )


def _app() -> Flask:
    return current_app
