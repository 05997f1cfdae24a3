"""What the thread that looks a name up may not do: two that import one module at once may wait for ever."""

import subprocess
import sys

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

CONNECTING = """
from app.gevent_patch import native, patch
patch()
import sys
from contextlib import suppress
from app.destinations.dialer import Dialer, look_up_natively

thread_id = native("_thread", "get_ident")
main_thread = thread_id()

def print_import(event, arguments):
    if event == "import" and thread_id() != main_thread:
        print(arguments[0])

dial = Dialer("localhost", 1, may_reach=lambda address: False, look_up=look_up_natively, seconds=1)
sys.addaudithook(print_import)
with suppress(OSError):
    dial()
"""


def test_no_thread_that_looks_a_name_up_imports_a_module() -> None:
    """It imported the codec of names: of eight destinations at once in a dry-run, five were never looked up again."""
    connecting = [sys.executable, "-c", CONNECTING]

    ended = subprocess.run(connecting, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)

    assert ended.stdout.split() == []
