"""Faults are tried on a live gateway with a database of each kind."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.postgres import postgres_server
from tests.support.serving import Running, environment, free_port, serving
from tests.support.store import databases

__all__ = ["databases", "postgres_server"]

STORAGE = "    storage: { url: { env: TEST_DATABASE_URL }, minFreeMegabytes: 1 }\n"

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Tells whether `make faults` asks for the long tier."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serves a database: `with serve(url) as running`. Always the same port, so that one may follow another."""
    port = str(free_port())
    config = str(write_config(tmp_path, CONFIG + STORAGE))

    def serve_database(url: str, **more: str) -> AbstractContextManager[Running]:
        environ = {**environment(tmp_path), "TEST_DATABASE_URL": url, "WATS_PORT": port, **more}
        return serving(tmp_path, "--config", config, "--live", "--yes-live", environ=environ)

    return serve_database
