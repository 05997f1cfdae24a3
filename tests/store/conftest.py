"""Every test here may ask for a database of each kind."""

import sqlite3

import pytest
from pysqlite3 import dbapi2 as bundled

from tests.store.children import start
from tests.support.store import databases, make_store, store, url
from tests.support.work import clock, timed

__all__ = ["clock", "databases", "make_store", "start", "store", "timed", "url"]

AFFECTED = (3, 40, 1)
"""The SQLite that Debian 12's Python links: it has the WAL-reset bug."""


@pytest.fixture
def affected_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both libraries say that they are a version with the WAL-reset bug."""
    for library in (bundled, sqlite3):
        monkeypatch.setattr(library, "sqlite_version_info", AFFECTED)
