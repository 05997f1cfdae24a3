"""Every operation of the OpenAPI document is complete: also that of a route which was just added."""

from typing import Any

import jsonschema
import pytest
from flask import Flask

from app.web.errors import STATUS_OF
from app.web.openapi import openapi_document
from app.web.openapi_errors import MESSAGES
from app.web.openapi_schemas import add_examples

Operation = tuple[str, dict[str, Any]]


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return openapi_document(app)


def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (f"{method} {path}", each) for path, methods in document["paths"].items() for method, each in methods.items()
    ]


def contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contents of the request and of the responses."""
    parts = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [media for part in parts for media in part.get("content", {}).values()]


def examples(media: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """Return the examples of a content: its own, and those of the components that it refers to."""
    own = [media["example"]] if "example" in media else []
    names = [each["$ref"].removeprefix("#/components/examples/") for each in media.get("examples", {}).values()]
    return own + [document["components"]["examples"][name]["value"] for name in names]


def test_every_operation_has_an_id_of_its_own(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]

    assert [each for each in ids if ids.count(each) > 1] == []


def test_everything_has_an_example(document: dict[str, Any]) -> None:
    """What is missing is added to app/web/openapi_examples.py, or to the field as `metadata={"example": …}`."""
    assert add_examples(document) == []
    for name, operation in operations(document):
        without = [status for status, response in operation["responses"].items() if not response.get("content")]
        assert set(without) <= {"204", "304"}, name
        assert all(examples(media, document) for media in contents(operation)), name


def test_every_error_code_has_an_example(document: dict[str, Any]) -> None:
    assert MESSAGES.keys() == STATUS_OF.keys()
    assert {code for code in STATUS_OF if code not in document["components"]["examples"]} == set()


def test_every_example_has_the_documented_form(document: dict[str, Any]) -> None:
    for _, operation in operations(document):
        for media in contents(operation):
            schema = {**media["schema"], "components": document["components"]}
            for example in examples(media, document) if schema.get("format") != "binary" else ():
                jsonschema.validate(example, schema)


def test_no_response_has_a_schema_that_forbids_further_properties(document: dict[str, Any]) -> None:
    """An answer may gain fields in any release; only what is sent to us is strict."""
    schemas = document["components"]["schemas"]
    strict = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    answered = str([operation["responses"] for _, operation in operations(document)])

    assert strict > {"Replay", "TextRequest"}
    assert [name for name in strict if f"/{name}'" in answered] == []


def test_every_error_code_is_documented_for_an_operation(document: dict[str, Any]) -> None:
    """A view names the codes that are its own with `@refuses(…)`."""
    told = str([operation["responses"] for _, operation in operations(document)])

    missing = {code for code in STATUS_OF if f"`{code}`" not in told}
    assert missing == {"method_not_allowed"}  # it is the answer where there is no operation


def test_every_error_of_an_operation_is_documented_by_its_status(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert "default" not in operation["responses"], name
        assert "500" in operation["responses"], name
        if operation["security"]:
            assert operation["responses"].keys() & {"401", "403", "404"}, name
