"""Every test here may ask for a database of each kind, and for processes that work on it."""

import pytest

from tests.store.children import start
from tests.support.store import databases, make_store, store, url

__all__ = ["databases", "make_store", "start", "store", "url"]


@pytest.fixture(autouse=True)
def measured_on_sqlite_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run workers on PostgreSQL without coverage: those on SQLite run the same code of the job queue."""
    if "postgresql" in request.node.name:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
