"""Collisions in a profile: two routes that cover each other, one variable for two secrets."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.config.errors import Problems
from app.config.schema.references import SecretRef

Sections = Mapping[str, Mapping[str, Any]]

FIXED_ROUTES = ("/healthz", "/health", "/readyz", "/ready", "/status", "/metrics", "/debug", "/openapi.json", "/docs")
SECRET_SETTINGS = (
    ("auth", "accessToken"),
    ("webhook", "verifyToken"),
    ("webhook", "appSecret"),
    ("service", "bearerToken"),
    ("storage", "url"),
)


def report_collisions(sections: Sections, problems: Problems) -> None:
    """Add every collision of a profile; a message names both sides."""
    _report_routes(sections, problems)
    _report_variables(sections, problems)


def _report_routes(sections: Sections, problems: Problems) -> None:
    webhook, prefix = sections["webhook"]["path"], sections["service"]["apiPrefix"]
    at_webhook, at_prefix = problems.at("webhook").at("path"), problems.at("service").at("apiPrefix")
    if _covers(prefix, webhook):
        at_webhook.add("route_collision", f"{webhook} collides with {at_prefix.path} {prefix}")
    for fixed in FIXED_ROUTES:
        if _covers(fixed, webhook):
            at_webhook.add("route_collision", f"{webhook} collides with the fixed route {fixed}")
        if _covers(fixed, prefix) or _covers(prefix, fixed):
            at_prefix.add("route_collision", f"{prefix} collides with the fixed route {fixed}")


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")


def _report_variables(sections: Sections, problems: Problems) -> None:
    """Add a problem for each variable with two purposes: a leak of one secret would be a leak of both."""
    owners: dict[str, str] = {}
    for place, ref in _references(sections, problems):
        for variable, path in ((ref.env, place.path), (ref.previous, f"{place.path}.previous")):
            if variable is None:
                continue
            if variable in owners:
                place.add("reused_variable", f"{variable} is already the variable of {owners[variable]}")
            owners.setdefault(variable, path)


def _references(sections: Sections, problems: Problems) -> Iterator[tuple[Problems, SecretRef]]:
    values = [(problems.at(section).at(key), sections[section][key]) for section, key in SECRET_SETTINGS]
    at_tokens = problems.at("service").at("tokens")
    for index, token in enumerate(sections["service"]["tokens"]):
        values.append((at_tokens.item(index).at("token"), token["token"]))
    return ((place, value) for place, value in values if isinstance(value, SecretRef))
