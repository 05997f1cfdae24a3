"""The examples of the OpenAPI document are true: each request is accepted, and answered in the documented form."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.config import Flags, load_settings
from app.factory import create_app
from app.gateway import EXTENSION, Gateway
from app.graph.fake.ids import INCOMING, wamid
from app.store.engine.sqlite import path_of
from app.store.tables.message_schema import messages
from app.web.openapi import openapi_document
from tests.support.events import new_event, put_events
from tests.support.live import CONFIG, write_config
from tests.support.messages import accept, new_message
from tests.support.store import put_migrated_file
from tests.support.webhooks import signed

APP_SECRET = "dry-run-app-secret"
TOKEN = {"Authorization": "Bearer dry-run-service-token"}
DESTINATION = """
    destinations:
      - { name: crm, url: "http://127.0.0.1:9/hooks", secret: { env: TEST_CRM_SECRET } }
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A dry-run: what is sent goes to the fake Meta."""
    flags = Flags(config=write_config(tmp_path, CONFIG + DESTINATION), dry_run=True)
    settings = load_settings(flags, {"WATS_DATA_DIR": str(tmp_path)})
    put_migrated_file(path_of(settings.storage.url))
    app = create_app(settings)
    store = app.extensions[EXTENSION].store
    store.upgrade_schema()
    store.open()
    yield app
    store.close()


def ids(gateway: Gateway) -> dict[str, str]:
    """Put in what the operations are about; return its ids, by the operation or by the path's parameter."""
    known = wamid("4915112345678", "A1", marker=INCOMING)
    inbound = replace(new_event("hi", raw={"id": known}), data={"id": known})
    put_events(gateway.store, inbound)
    [unknown] = accept(gateway.store, new_message())
    now_unknown = update(messages).where(messages.c.id == unknown.row_id).values(status="unknown")
    gateway.store.write(lambda c: c.execute(now_unknown))
    return {"name": "crm", "readMessage": inbound.id, "resolveMessage": unknown.id}


def test_every_example_of_a_request_is_accepted(app: Flask, client: FlaskClient, gateway: Gateway) -> None:
    document, known = openapi_document(app), ids(gateway)
    asked = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "/graph/" not in path  # these need a worker: see tests/graph_proxy
        and "application/json" in operation.get("requestBody", {}).get("content", {})
    ]

    for path, method, operation in asked:
        name, example = operation["operationId"], operation["requestBody"]["content"]["application/json"]["example"]
        url = path.format_map({**known, "message_id": known.get(name)})
        sent: dict[str, Any] = {"json": example, "headers": TOKEN}
        if name == "receiveWebhook":
            sent = {"data": (body := json.dumps(example).encode()), "headers": signed(body, APP_SECRET)}
        answer = client.open(url, method=method.upper(), **sent)

        assert answer.status_code < 300, (name, answer.get_json())
        content = operation["responses"][str(answer.status_code)]["content"]["application/json"]
        jsonschema.validate(answer.get_json(), {**content["schema"], "components": document["components"]})

    assert len(asked) >= 10
