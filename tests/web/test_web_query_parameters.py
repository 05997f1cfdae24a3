"""A query parameter that a route does not have is refused on every route that needs a token."""

import re

from flask import Flask
from flask.testing import FlaskClient

from app.web.guards import OPEN, guard_of
from tests.support.webhooks import PATH, bearer

PASSES_ON = ("/api/graph/",)
"""Beginnings of rules that pass their query on."""


def test_every_guarded_route_refuses_an_unknown_query_parameter(app: Flask, client: FlaskClient) -> None:
    asked = {
        (method, re.sub(r"<[^>]+>", "x", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if guard_of(app, rule.endpoint) is not OPEN and rule.rule != PATH and not rule.rule.startswith(PASSES_ON)
    }

    answers = {
        (method, path): client.open(f"{path}?limits=1", method=method, headers=bearer()) for method, path in asked
    }

    assert len(asked) > 20
    assert {case: (one.status_code, one.json) for case, one in answers.items() if one.status_code != 400} == {}


def test_a_route_without_query_parameters_says_so(client: FlaskClient) -> None:
    error = client.get("/api/destinations?limit=5", headers=bearer()).get_json()["error"]

    assert (error["code"], error["message"]) == ("invalid_parameter", "This route takes no query parameter.")


def test_the_token_comes_before_the_query(client: FlaskClient) -> None:
    assert client.get("/api/destinations?x=1").status_code == 401
    assert client.get("/status?x=1").status_code == 404


def test_a_probe_may_add_a_query(client: FlaskClient) -> None:
    assert client.get("/healthz?now=1").status_code == 200
