"""Faults are tried on a live gateway with a database of each kind."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.serving import FLASK, Running, environment, free_port, serving
from tests.support.store import databases

__all__ = ["databases"]

STORAGE = "    storage: { url: { env: TEST_DATABASE_URL }, minFreeMegabytes: 1 }\n"

SERVE = (FLASK, "wats", "serve")

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Tells whether `make faults` asks for the long tier."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="module", autouse=True)
def without_coverage(unmeasured: None) -> None:
    """Kill and load processes that are as fast as a user's."""


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serves a database: `with serve(url) as running`. Always on the same port, so that one may follow another."""
    environ = environment(
        tmp_path,
        WATS_CONFIG=str(write_config(tmp_path, CONFIG + STORAGE)),
        WATS_MODE="live",
        WATS_YES_LIVE="1",
        WATS_PORT=str(free_port()),
    )

    def serve_database(
        url: str, *, command: Sequence[str] = SERVE, ready: bool = True, **more: str
    ) -> AbstractContextManager[Running]:
        given = {**environ, "TEST_DATABASE_URL": url, **more}
        return serving(tmp_path, command=command, environ=given, ready=ready)

    return serve_database
