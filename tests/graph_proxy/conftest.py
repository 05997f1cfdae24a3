"""`meta`: a fake Meta on a real socket, new for each test. `client`: an application that is live and calls it.

`running`: processes that do so, with a worker.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import stream_encode_multipart

from app.config import Flags, load_settings
from app.factory import create_app
from app.gateway import EXTENSION
from app.graph.fake.server import FakeMetaServer
from app.store.engine.sqlite import path_of
from tests.support.fake_meta import fake_meta
from tests.support.live import LIVE_ENVIRONMENT, PROFILE, write_config
from tests.support.serving import Running, environment, serving
from tests.support.store import put_migrated_file
from tests.support.webhooks import PATH

CALLING = """
        - {{ name: bot, token: {{ env: TEST_GRAPH_TOKEN }}, scopes: [graph, read] }}
    graph: {{ baseUrl: "{meta}" }}
    sending: {{ windowPolicy: enforce }}
"""
GRAPH_TOKEN = "graph-token-70b1f6d2c9e84a35"
ENVIRONMENT = {**LIVE_ENVIRONMENT, "TEST_GRAPH_TOKEN": GRAPH_TOKEN}
BOT = {"Authorization": f"Bearer {GRAPH_TOKEN}"}


def calling_config(meta_url: str) -> str:
    """Return the text of a profile that calls this Meta."""
    return PROFILE.rstrip() + CALLING.format(meta=meta_url)


@pytest.fixture(scope="package")
def running_meta() -> Iterator[FakeMetaServer]:
    with fake_meta() as server:
        yield server


@pytest.fixture
def meta(running_meta: FakeMetaServer) -> FakeMetaServer:
    running_meta.control.reset()
    return running_meta


@pytest.fixture(scope="package")
def calling(tmp_path_factory: pytest.TempPathFactory, running_meta: FakeMetaServer) -> Iterator[Flask]:
    """Make the application once: nothing that these tests do stays in it."""
    folder = tmp_path_factory.mktemp("calling")
    flags = Flags(config=write_config(folder, calling_config(running_meta.url)), live=True, yes_live=True)
    settings = load_settings(flags, {**ENVIRONMENT, "WATS_DATA_DIR": str(folder / "data")})
    put_migrated_file(path_of(settings.storage.url))
    app = create_app(settings)
    store = app.extensions[EXTENSION].store
    store.open()
    yield app
    store.close()


@pytest.fixture
def client(calling: Flask) -> FlaskClient:
    return calling.test_client()


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory, running_meta: FakeMetaServer) -> Iterator[Running]:
    """A gateway with two web processes."""
    folder = tmp_path_factory.mktemp("gateway")
    config = write_config(folder, calling_config(running_meta.url))
    live = ("--config", str(config), "--live", "--yes-live", "--workers", "2")
    with serving(folder, *live, environ=environment(folder, **ENVIRONMENT)) as running:
        running_meta.control.post_to(f"http://127.0.0.1:{running.port}{PATH}")
        yield running
        running_meta.control.post_to(None)


def asked_by_clients(meta: FakeMetaServer) -> list[dict[str, Any]]:
    """Return what Meta has received, but for what a worker that starts asks about its token."""
    return [entry for entry in meta.control.journal.entries() if entry["path"] != "debug_token"]


def form(**fields: Any) -> dict[str, Any]:
    """Return a multipart form, for a request of the test client.

    The boundary that the client itself makes of the time and a random number is sometimes longer than the 70
    characters of RFC 2046, and refused.
    """
    body, _, boundary = stream_encode_multipart(fields, boundary="form-of-a-client")
    return {"data": body.read(), "content_type": f"multipart/form-data; boundary={boundary}"}
