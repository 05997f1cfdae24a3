"""The fixtures of all tests: `settings`, `app`, `gateway` and `client`, on a real SQLite file for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from app.config import Flags, Settings, load_settings
from app.factory import create_app
from app.gateway import EXTENSION, Gateway
from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

# An example takes long on a busy machine: that is no failure.
hypothesis_settings.register_profile("wats", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("wats")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long tier of tests/faults, as `make faults` runs it")
    parser.addoption("--image", action="store_true", help="the tests of tests/image, as `make image-test` runs them")


def pytest_xdist_auto_num_workers() -> int:
    """Run three workers on each processor: most of its time a test waits for processes, locks and limits."""
    return 3 * len(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Run the processes of a module without coverage, which triples their processor time; others cover their code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A live profile with every secret set; its webhook secret is being rotated."""
    environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path / "data")}
    return load_settings(Flags(config=write_config(tmp_path), live=True, yes_live=True), environ)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application with its store open and its schema at head."""
    app = create_app(settings)
    store = app.extensions[EXTENSION].store
    store.upgrade_schema()
    store.open()
    yield app
    store.close()


@pytest.fixture
def gateway(app: Flask) -> Gateway:
    return app.extensions[EXTENSION]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
