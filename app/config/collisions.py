"""Routes and variables that may not be one and the same."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from app.config.mistakes import Mistake
from app.config.references import SecretRef

FIXED_ROUTES = ("/healthz", "/readyz", "/status", "/metrics", "/debug", "/openapi.json", "/docs")
SECRET_SLOTS = (
    ("auth", "accessToken"),
    ("webhook", "verifyToken"),
    ("webhook", "appSecret"),
    ("service", "bearerToken"),
    ("storage", "url"),
)


def collisions(sections: dict[str, dict[str, Any]], path: str) -> Iterator[Mistake]:
    """Every collision of a profile, both sides named."""
    yield from _of_routes(sections, path)
    yield from _of_variables(sections, path)


def _of_routes(sections: dict[str, dict[str, Any]], path: str) -> Iterator[Mistake]:
    webhook, prefix = sections["webhook"]["path"], sections["service"]["apiPrefix"]
    webhook_path, prefix_path = f"{path}.webhook.path", f"{path}.service.apiPrefix"
    if _covers(prefix, webhook):
        message = f"{webhook} collides with {prefix_path} {prefix}"
        yield Mistake("route_collision", webhook_path, message)
    for fixed in FIXED_ROUTES:
        if _covers(fixed, webhook):
            yield Mistake("route_collision", webhook_path, f"{webhook} collides with the fixed route {fixed}")
        if _covers(fixed, prefix) or _covers(prefix, fixed):
            yield Mistake("route_collision", prefix_path, f"{prefix} collides with the fixed route {fixed}")


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")


def _of_variables(sections: dict[str, dict[str, Any]], path: str) -> Iterator[Mistake]:
    """One variable for two secrets: whoever learns the one then knows the other."""
    slots = [
        (f"{path}.{section}.{key}", ref)
        for section, key in SECRET_SLOTS
        if isinstance(ref := sections[section][key], SecretRef)
    ]
    for (first, one), (second, other) in combinations(slots, 2):
        if one.env == other.env:
            yield Mistake("reused_variable", second, f"{one.env} is already the variable of {first}")
