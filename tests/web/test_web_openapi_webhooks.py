"""The requests that the gateway sends, in the OpenAPI document: the examples have the documented form."""

import jsonschema
import pytest
from flask import Flask

from app.domain.meta.event_types import SYSTEM_MESSAGES
from app.domain.meta.webhook_fields import ITEM_LISTS, LIST_FIELDS, VALUE_FIELDS
from app.web.examples import CHANGES
from app.web.openapi import openapi_document
from tests.support.envelopes import events_of


@pytest.mark.parametrize("type_", CHANGES)
def test_the_example_of_each_type_has_the_documented_form(app: Flask, type_: str) -> None:
    document = openapi_document(app)
    content = document["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
    shape = document["components"]["schemas"]["Event"]

    example = content["examples"][type_]["value"]

    assert content["schema"] == {"$ref": "#/components/schemas/Event"}
    jsonschema.validate(example, {**shape, "components": document["components"]})
    assert example.keys() == shape["properties"].keys() == set(shape["required"])
    assert example["type"] == type_


def test_a_pushed_event_is_documented_with_the_headers_of_standard_webhooks(app: Flask) -> None:
    parameters = openapi_document(app)["webhooks"]["event"]["post"]["parameters"]

    assert [one["name"] for one in parameters] == ["webhook-id", "webhook-timestamp", "webhook-signature"]


def test_the_example_of_metas_envelope_is_one_message(app: Flask) -> None:
    operation = openapi_document(app)["webhooks"]["metaEnvelope"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["message.text"]["value"]

    assert [event.type for event in events_of(example)] == ["message.text"]
    assert [one["name"] for one in operation["parameters"]] == ["X-Hub-Signature-256"]


def test_every_event_type_has_an_example() -> None:
    tables = [ITEM_LISTS, VALUE_FIELDS, SYSTEM_MESSAGES, *LIST_FIELDS.values()]

    named = {kind for table in tables for kind in table.values() if isinstance(kind, str)}

    assert named <= CHANGES.keys()
