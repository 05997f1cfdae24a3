"""Every test here may ask for a database of each kind, and for processes that work on it."""

from tests.store.children import start
from tests.support.store import databases, make_store, store, url

__all__ = ["databases", "make_store", "start", "store", "url"]
