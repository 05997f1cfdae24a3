"""The OpenAPI document and its page."""

import re

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from app.domain import VERSION
from app.web.openapi import openapi_document
from tests.support.tracing import untraced
from tests.support.webhooks import PATH, bearer, body_of, signed


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()

    assert document["openapi"] == "3.1.0"
    with untraced():
        validate(document)


def test_every_route_is_documented(app: Flask) -> None:
    documented = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in openapi_document(app)["paths"].items()
        for method in operations.keys() - {"parameters"}
    }

    routed = {
        (re.sub(r"<\w+:", "<", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert routed == documented


def test_each_operation_names_the_security_of_its_guard(app: Flask) -> None:
    paths = openapi_document(app)["paths"]

    assert paths["/healthz"]["get"]["security"] == []
    assert paths["/status"]["get"]["security"] == [{"bearer": ["operate"]}]
    assert paths["/api/receipts/{receipt_id}"]["get"]["security"] == [{"bearer": ["read"]}]
    assert paths[PATH]["post"]["security"] == [{"metaSignature": []}]
    assert paths[PATH]["get"]["security"] == [{"verifyToken": []}]


def test_every_operation_documents_the_form_of_errors(app: Flask) -> None:
    document = openapi_document(app)

    error = document["paths"]["/api/receipts"]["get"]["responses"]["401"]["content"]["application/json"]
    assert error["schema"] == {"$ref": "#/components/schemas/Error"}
    assert document["components"]["schemas"]["ErrorBody"]["properties"].keys() >= {
        "code",
        "message",
        "requestId",
    }


JSON_PATHS = (
    "/",
    "/healthz",
    "/health",
    "/readyz",
    "/ready",
    "/status",
    "/debug/diagnostics",
    "/api/receipts",
    "/api/receipts/rcp_1",
    "/api/deliveries",
    "/api/destinations",
)


@pytest.mark.parametrize("path", JSON_PATHS)
def test_a_response_has_exactly_the_documented_form(client: FlaskClient, app: Flask, path: str) -> None:
    body = body_of()
    client.post(PATH, data=body, headers=signed(body))
    document = openapi_document(app)
    documented = path.replace("rcp_1", "{receipt_id}")
    content = document["paths"][documented]["get"]["responses"]["200"]["content"]["application/json"]

    answer = client.get(path, headers=bearer()).get_json()

    jsonschema.validate(answer, {**content["schema"], "components": document["components"]})
    name = content["schema"]["$ref"].rpartition("/")[2]
    assert answer.keys() == document["components"]["schemas"][name]["properties"].keys()


def test_the_page_loads_nothing_from_other_hosts(client: FlaskClient) -> None:
    page = client.get("/docs")

    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in page.text
    assert "<script>" not in page.text


def test_the_root_leads_people_to_the_documentation(client: FlaskClient) -> None:
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    links = re.findall(r'href="([^"]+)"', page.text)
    assert (page.status_code, page.mimetype, page.headers["Vary"]) == (200, "text/html", "Accept")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for link in links:
        with client.get(f"/{link}") as linked:
            assert linked.status_code == 200
    assert VERSION not in page.text


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_the_root_leads_machines_to_the_documentation(client: FlaskClient, accept: str) -> None:
    answer = client.get("/", headers={"Accept": accept}).get_json()

    links = answer["links"]
    assert (answer.keys(), answer["service"]) == ({"service", "links"}, "wats")
    assert {
        name: client.get(link, headers=bearer()).status_code for name, link in links.items() if name != "api"
    } == {
        "docs": 200,
        "openapi": 200,
        "health": 200,
        "readiness": 200,
        "status": 200,
    }


@pytest.mark.parametrize("asset", ["docs.js", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"])
def test_the_assets_are_served_locally(client: FlaskClient, asset: str) -> None:
    with client.get(f"/docs/{asset}") as answer:
        assert answer.status_code == 200
        assert len(answer.data) > 100


@pytest.mark.parametrize("asset", ["oauth2-redirect.html", "LICENSE", "..%2f..%2fapp.py", "docs.html", ".."])
def test_no_other_file_of_the_folder_is_served(client: FlaskClient, asset: str) -> None:
    assert client.get(f"/docs/{asset}").status_code == 404
