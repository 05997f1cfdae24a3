"""A running service without a worker: only the tests change its store, from outside."""

from collections.abc import Iterator

import pytest

from app.store import Store
from tests.support.live import CONFIG, write_config
from tests.support.serving import Running, environment, serving

DESTINATIONS = """
    destinations:
      - { name: crm, url: "http://127.0.0.1:9/hooks", secret: { env: TEST_CRM_SECRET } }
      - { name: bot, url: "http://127.0.0.1:9/bot", secret: { env: TEST_CRM_SECRET } }
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a gateway with two destinations and no worker."""
    folder = tmp_path_factory.mktemp("service")
    config = write_config(folder, CONFIG + DESTINATIONS)
    environ = environment(folder, TEST_CRM_SECRET="crm-secret-0c9d", WATS_CONFIG=str(config))
    with serving(folder, "--live", "--yes-live", "--without-worker", environ=environ) as running:
        yield running


@pytest.fixture(scope="module")
def stored(service: Running) -> Iterator[Store]:
    """Open the service's own store."""
    store = store_of(service)
    yield store
    store.close()


def store_of(running: Running) -> Store:
    """Open the store of a running service beside it."""
    store = Store(f"sqlite:///{running.folder}/data/wats.sqlite3", min_free_bytes=0, cooperative=False)
    store.open()
    return store
