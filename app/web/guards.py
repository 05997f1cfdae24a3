"""Guards: the check that lets a request in. Every endpoint names exactly one; without one it refuses every request.

A guard looks at the current request and either returns or raises an `ApiError`. All guards are called from one place
before any view, so that no view can forget the check.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from flask import Flask, current_app, request

from app.config import Scope, ServiceToken
from app.domain.constant_time import constant_time_index
from app.web.current import gateway
from app.web.errors import ApiError, not_found
from app.web.middleware import ROUTE

View = TypeVar("View", bound=Callable[..., object])

_MARK = "__wats_guard__"


class Guard(NamedTuple):
    """A guard's name, as `--print-routes` shows it, and its check. `hidden`: it answers like an unknown path."""

    name: str
    check: Callable[[], None]
    hidden: bool = False


def guarded_by(guard: Guard) -> Callable[[View], View]:
    """Give a view its one guard."""

    def mark(view: View) -> View:
        assert not hasattr(view, _MARK), f"{view.__name__} names two guards"
        setattr(view, _MARK, guard)
        return view

    return mark


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """Return the guard of an endpoint's view."""
    view = app.view_functions[endpoint]
    return getattr(view, _MARK, None) or getattr(getattr(view, "view_class", None), _MARK, None)


def bearer(scope: Scope) -> Guard:
    """Return a guard that needs a bearer token: 401 without a valid one, 403 for one without this scope."""
    return Guard(f"bearer:{scope}", lambda: _require(scope))


def hidden(scope: Scope) -> Guard:
    """Return a guard that needs a bearer token with this scope, and answers like an unknown path without it."""
    return Guard(f"hidden:{scope}", lambda: _require_or_hide(scope), hidden=True)


OPEN = Guard("open", lambda: None)


def register_guards(app: Flask) -> None:
    """Check every request before its view, also those of paths that have no view."""
    app.before_request(_check_request)


def _check_request() -> None:
    rule = request.url_rule
    if rule is None:
        _check_unrouted()
        return
    request.environ[ROUTE] = rule.rule
    guard = guard_of(_app(), rule.endpoint)
    if guard is None:
        raise ApiError("forbidden", "This endpoint names no guard.")
    guard.check()


def _check_unrouted() -> None:
    """Check a request that routing refuses: under the API, and on a hidden path, its answer needs a token too."""
    if _is_under(request.path, gateway().settings.service.api_prefix):
        if _token_of_caller() is None:
            raise _unauthorized()
    elif _path_is_hidden():
        _require_or_hide("operate")


def _path_is_hidden() -> bool:
    """Return whether the path is that of a hidden endpoint, whatever the method and the headers are.

    Routing also looks at the method, and refuses a request to become a WebSocket. Both would set a hidden
    path apart from one that does not exist.
    """
    app = _app()
    routes = app.create_url_adapter(request)
    assert routes is not None, "a request has an adapter"
    routes.websocket = False
    rules = [routes.match(method=method, return_rule=True)[0] for method in routes.allowed_methods()]
    guards = [guard_of(app, rule.endpoint) for rule in rules]
    return any(guard is not None and guard.hidden for guard in guards)


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
    """Return the configured token that the caller presents; None without a valid one."""
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    pairs = [(token, value) for token in gateway().settings.service.tokens for value in token.token.active]
    index = constant_time_index(presented.encode("latin-1"), (value.encode() for _, value in pairs))
    return None if index is None else pairs[index][0]


def name_of_caller() -> str:
    """Return the name of the token that the caller of the current request presents; it is checked."""
    caller = _token_of_caller()
    return "" if caller is None else caller.name


def _unauthorized() -> ApiError:
    return ApiError(
        "unauthorized", "A valid bearer token is required.", headers={"WWW-Authenticate": 'Bearer realm="wats"'}
    )


def _app() -> Flask:
    return current_app
