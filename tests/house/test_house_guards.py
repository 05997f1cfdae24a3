"""Every endpoint names exactly one guard, and what is secret is compared in one place only."""

import ast
from pathlib import Path

import pytest
from flask import Flask

from app.web.guards import OPEN, bearer, guard_of, guarded_by

APP = Path("app")
SECRET_NAMES = ("secret", "token", "signature", "hmac", "password", "authorization")


def test_every_endpoint_names_a_guard(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None] == []


def test_only_these_endpoints_are_open(app: Flask) -> None:
    opened = {rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is OPEN}

    assert opened == {
        "/",
        "/healthz",
        "/health",
        "/readyz",
        "/ready",
        "/openapi.json",
        "/docs",
        "/docs/<asset>",
        "/runbooks",
    }


def test_everything_under_the_api_needs_a_bearer_token(app: Flask) -> None:
    guards = [guard_of(app, rule.endpoint) for rule in app.url_map.iter_rules() if rule.rule.startswith("/api")]

    assert guards
    assert all(guard is not None and guard.name.startswith("bearer:") for guard in guards)


def test_a_view_cannot_name_two_guards() -> None:
    with pytest.raises(AssertionError, match="two guards"):
        guarded_by(OPEN)(guarded_by(bearer("read"))(lambda: ""))


def test_secrets_are_compared_in_constant_time_only() -> None:
    offenders = [
        f"{path}:{node.lineno}"
        for path in sorted(APP.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare) and _compares_a_secret(node)
    ]

    assert offenders == []


@pytest.mark.parametrize(
    "careless",
    [
        "presented == token",
        "settings.webhook.app_secret.active[0] != presented",
        "header == 'Bearer ' + token.value",
        "header == f'sha256={signature}'",
        "hmac.new(key, body, 'sha256').hexdigest() == presented",
        "presented in tokens.values()",
    ],
)
def test_a_careless_comparison_is_found(careless: str) -> None:
    comparison = ast.parse(careless, mode="eval").body

    assert isinstance(comparison, ast.Compare)
    assert _compares_a_secret(comparison)


def test_digests_are_compared_in_one_file() -> None:
    users = [str(path) for path in APP.rglob("*.py") if "compare_digest" in path.read_text()]

    assert users == ["app/domain/constant_time.py"]


def _compares_a_secret(node: ast.Compare) -> bool:
    if not any(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops):
        return False
    return any(word in name for part in ast.walk(node) for name in _names(part) for word in SECRET_NAMES)


def _names(part: ast.AST) -> list[str]:
    match part:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name.lower()]
        case _:
            return []
