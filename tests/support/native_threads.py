"""Which modules native threads import: after gevent's patch, two that import one at once may wait for ever."""

import subprocess
import sys

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

WATCHING = """
from app.gevent_patch import native, patch
patch()
import sys
{prepare}
thread_id = native("_thread", "get_ident")
main_thread = thread_id()

def print_import(event, arguments):
    if event == "import" and thread_id() != main_thread:
        print(arguments[0])

sys.addaudithook(print_import)
{use}
"""


def imported_in_native_threads(prepare: str, use: str, *arguments: str) -> list[str]:
    """Return the modules that native threads of a new process import while it does `use`, after it did `prepare`.

    Both are lines of Python; `arguments` are in `sys.argv[1:]`.
    """
    watching = [sys.executable, "-c", WATCHING.format(prepare=prepare, use=use), *arguments]
    ended = subprocess.run(watching, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)
    return ended.stdout.split()
