"""What the thread that looks a name up may not do."""

from tests.support.native_threads import imported_in_native_threads

PREPARE = """
from contextlib import suppress
from app.destinations.dialer import Dialer, look_up_natively
dial = Dialer("localhost", 1, may_reach=lambda address: False, look_up=look_up_natively, seconds=1)
"""
CONNECT = """
with suppress(OSError):
    dial()
"""


def test_no_thread_that_looks_a_name_up_imports_a_module() -> None:
    """It imported the codec of names: of eight destinations at once in a dry-run, five were never looked up again."""
    assert imported_in_native_threads(PREPARE, CONNECT) == []
