"""The fixtures of all tests: `settings`, `app`, `gateway` and `client`, on a real SQLite file for each test."""

import gc
import os
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

import app as wats
from app.config import Flags, Settings, load_settings
from app.factory import create_app
from app.gateway import EXTENSION, Gateway
from app.store.engine.sqlite import path_of
from tests.support.child.main_greenlets import keep_main_greenlets
from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.order import long_first
from tests.support.postgres import postgres_server
from tests.support.store import put_migrated_file
from tests.support.tracing import CHILD, traced_once, untraced

__all__ = ["postgres_server"]

NOT_TO_IMPORT = ("app.launcher", "app.worker", "app.store.migrations.")
"""They patch the process that imports them, or run in Alembic only."""

# An example takes long on a busy machine: that is no failure.
hypothesis_settings.register_profile("wats", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("wats")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long tier of tests/faults, as `make faults` runs it")
    parser.addoption("--image", action="store_true", help="the tests of tests/image, as `make image-test` runs them")


@pytest.fixture(scope="session", autouse=True)
def main_greenlets_kept() -> None:
    keep_main_greenlets()


@pytest.fixture(scope="session", autouse=True)
def quick_imports() -> None:
    """Let the processes that the tests start keep what they compile and import untraced: most do little else."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPATH"] = CHILD


def pytest_xdist_auto_num_workers() -> int:
    """Run three workers on each processor: most of its time a test waits for processes, locks and limits."""
    return 3 * len(os.sched_getaffinity(0))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without tracing, which triples the time; `app` is imported before, to be measured.

    xdist's workers leave that to the process that started them: it collects nothing, and is measured too.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for module in walk_packages(wats.__path__, "app."):
            if not module.name.startswith(NOT_TO_IMPORT):
                import_module(module.name)
    gc.disable()  # what is collected stays to the end: to search it for garbage would be in vain, now and later
    with untraced():
        collected = yield
    gc.freeze()
    gc.enable()
    return collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of faults, which wait for kills, leases and restarts: each takes seconds."""
    if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = long_first(items, lambda item: item.path.parent.name == "faults", processes)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Run a module and its processes without coverage, which takes much processor time; others cover their code."""
    with pytest.MonkeyPatch.context() as patch, untraced():
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(autouse=True)
def measured_on_one_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure a test that runs on both databases on SQLite only: on PostgreSQL it covers the same lines of ours."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    if parameters.get("databases") == "postgresql":
        with pytest.MonkeyPatch.context() as patch, untraced():
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            yield
    else:
        yield


@pytest.fixture(autouse=True)
def properties_not_traced(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a test of Hypothesis without tracing: its many examples cover what the tests of single examples cover."""
    if request.node.get_closest_marker("hypothesis"):
        with untraced():
            yield
    else:
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A live profile with every secret set; its webhook secret is being rotated."""
    environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path / "data")}
    with traced_once("settings"):
        return load_settings(Flags(config=write_config(tmp_path), live=True, yes_live=True), environ)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application with its store open and its schema at head."""
    url = settings.storage.url
    with traced_once(f"app on {url.partition(':')[0]}"):
        if url.startswith("sqlite:"):
            put_migrated_file(path_of(url))
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
