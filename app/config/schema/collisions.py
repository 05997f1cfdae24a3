"""Routes and variables that may not be one and the same."""

from collections.abc import Iterator
from typing import Any

from app.config.errors import ConfigProblem
from app.config.schema.references import SecretRef

Sections = dict[str, dict[str, Any]]

FIXED_ROUTES = ("/healthz", "/readyz", "/status", "/metrics", "/debug", "/openapi.json", "/docs")
SECRET_SLOTS = (
    ("auth", "accessToken"),
    ("webhook", "verifyToken"),
    ("webhook", "appSecret"),
    ("service", "bearerToken"),
    ("storage", "url"),
)


def collisions(sections: Sections, path: str) -> Iterator[ConfigProblem]:
    """Every collision of a profile, both sides named."""
    yield from _of_routes(sections, path)
    yield from _of_variables(sections, path)


def _of_routes(sections: Sections, path: str) -> Iterator[ConfigProblem]:
    webhook, prefix = sections["webhook"]["path"], sections["service"]["apiPrefix"]
    webhook_path, prefix_path = f"{path}.webhook.path", f"{path}.service.apiPrefix"
    if _covers(prefix, webhook):
        message = f"{webhook} collides with {prefix_path} {prefix}"
        yield ConfigProblem("route_collision", webhook_path, message)
    for fixed in FIXED_ROUTES:
        if _covers(fixed, webhook):
            yield ConfigProblem("route_collision", webhook_path, f"{webhook} collides with the fixed route {fixed}")
        if _covers(fixed, prefix) or _covers(prefix, fixed):
            yield ConfigProblem("route_collision", prefix_path, f"{prefix} collides with the fixed route {fixed}")


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")


def _of_variables(sections: Sections, path: str) -> Iterator[ConfigProblem]:
    """One variable for two secrets: whoever learns the one then knows the other."""
    owners: dict[str, str] = {}
    for where, ref in _references(sections, path):
        for variable, place in ((ref.env, where), (ref.previous, f"{where}.previous")):
            if variable is None:
                continue
            if variable in owners:
                yield ConfigProblem(
                    "reused_variable", where, f"{variable} is already the variable of {owners[variable]}"
                )
            owners.setdefault(variable, place)


def _references(sections: Sections, path: str) -> Iterator[tuple[str, SecretRef]]:
    slots = [(f"{path}.{section}.{key}", sections[section][key]) for section, key in SECRET_SLOTS]
    tokens = sections["service"]["tokens"]
    slots += [(f"{path}.service.tokens[{at}].token", each["token"]) for at, each in enumerate(tokens)]
    return ((where, ref) for where, ref in slots if isinstance(ref, SecretRef))
