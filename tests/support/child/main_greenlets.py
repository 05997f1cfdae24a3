"""Keeps the main greenlets of traced threads, without which a traced process may loop for ever on CPython 3.11.

Coverage holds a weak reference to the main greenlet of each thread that it traces. When a thread has ended, the
main thread frees that greenlet in a pending call, and the callback of the weak reference, a Python function, is
traced. If another thread ends meanwhile, a second pending call waits. CPython 3.11 handles what waits before it
enters a traced function; here it cannot, because the first call is not over, and tries for ever, at 100 % of a
processor. CPython 3.12 enters the function.
"""

import sys
import threading
from types import FrameType
from typing import Any

from greenlet import enable_optional_cleanup, getcurrent, greenlet

_kept: set[greenlet] = set()


def keep_main_greenlets() -> None:
    """Keep the main greenlet of each thread that is traced from now on."""
    trace = threading.gettrace()
    if trace is None or sys.version_info >= (3, 12):
        return

    def trace_and_keep(frame: FrameType, event: str, arg: Any) -> object:
        _kept.add(_main_greenlet())
        return trace(frame, event, arg)

    enable_optional_cleanup(False)  # at the end of a thread, it would search all objects for what keeps its greenlet
    threading.settrace(trace_and_keep)


def _main_greenlet() -> greenlet:
    main = getcurrent()
    while main.parent is not None:
        main = main.parent
    return main
