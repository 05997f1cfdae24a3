"""Every test here may ask for a database of each kind."""

from tests.store.children import start
from tests.support.store import databases, make_store, store, url
from tests.support.work import clock, timed

__all__ = ["clock", "databases", "make_store", "start", "store", "timed", "url"]
