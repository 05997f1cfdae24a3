"""The requests that the gateway sends, in the OpenAPI document: the examples have the documented form."""

from typing import Any

import jsonschema
import pytest

from app.config import Flags, load_settings
from app.domain.meta.event_types import SYSTEM_MESSAGES
from app.domain.meta.webhook_fields import ITEM_LISTS, LIST_FIELDS, VALUE_FIELDS
from app.factory import create_app
from app.web.examples import CHANGES
from app.web.openapi import openapi_document
from tests.support.envelopes import events_of
from tests.support.live import LIVE_ENVIRONMENT, write_config


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the OpenAPI document, which takes long to make."""
    folder = tmp_path_factory.mktemp("openapi")
    environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(folder)}
    app = create_app(load_settings(Flags(config=write_config(folder), live=True, yes_live=True), environ))
    return openapi_document(app)


@pytest.mark.parametrize("type_", CHANGES)
def test_the_example_of_each_type_has_the_documented_form(document: Any, type_: str) -> None:
    content = document["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
    shape = document["components"]["schemas"]["Event"]

    example = content["examples"][type_]["value"]

    assert content["schema"] == {"$ref": "#/components/schemas/Event"}
    jsonschema.validate(example, {**shape, "components": document["components"]})
    assert example.keys() == shape["properties"].keys() == set(shape["required"])
    assert example["type"] == type_


def test_a_pushed_event_is_documented_with_the_headers_of_standard_webhooks(document: Any) -> None:
    parameters = document["webhooks"]["event"]["post"]["parameters"]

    names = [one["name"] for one in parameters]
    assert names == ["webhook-id", "webhook-timestamp", "webhook-signature", "traceparent"]


def test_the_example_of_metas_envelope_is_one_message(document: Any) -> None:
    operation = document["webhooks"]["metaEnvelope"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["message.text"]["value"]

    assert [event.type for event in events_of(example)] == ["message.text"]
    assert [one["name"] for one in operation["parameters"]] == ["X-Hub-Signature-256", "traceparent"]


def test_every_event_type_has_an_example() -> None:
    tables = [ITEM_LISTS, VALUE_FIELDS, SYSTEM_MESSAGES, *LIST_FIELDS.values()]

    named = {kind for table in tables for kind in table.values() if isinstance(kind, str)}

    assert named <= CHANGES.keys()
