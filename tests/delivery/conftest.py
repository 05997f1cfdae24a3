"""The API of deliveries on a real store of each kind, with two destinations."""

from pathlib import Path

import pytest

from app.config import Flags, Settings, load_settings
from app.store import Store
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config
from tests.support.store import Databases, databases
from tests.support.tracing import traced_once

__all__ = ["databases"]

DESTINATIONS = """
    storage: {{ url: "{url}" }}
    destinations:
      - {{ name: crm, url: "http://127.0.0.1:{port}/hooks?key=planted", secret: {{ env: TEST_CRM_SECRET }} }}
      - {{ name: bot, url: "http://127.0.0.1:{port}/bot", format: meta, secret: {{ env: TEST_BOT_SECRET }} }}
"""
SECRETS = {
    "TEST_CRM_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TEST_BOT_SECRET": "bot-secret-5d1e07a6b93f4c28",
}


@pytest.fixture
def port() -> int:
    """Return the port of the destinations; by default nothing listens there."""
    return 9


@pytest.fixture
def settings(tmp_path: Path, databases: Databases, port: int) -> Settings:
    """A live profile with two destinations, on a fresh database."""
    config = write_config(tmp_path, CONFIG + DESTINATIONS.format(url=databases.migrated(), port=port))
    environ = {**LIVE_ENVIRONMENT, **SECRETS, "WATS_DATA_DIR": str(tmp_path / "data")}
    with traced_once("settings with destinations"):
        return load_settings(Flags(config=config, live=True, yes_live=True), environ)


@pytest.fixture
def store(gateway) -> Store:
    return gateway.store
