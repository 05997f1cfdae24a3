"""Where coverage does not trace: it traces every call in every library, which takes most of the tests' time."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHILD = str(Path(__file__).parent / "child")
"""The folder with the `sitecustomize` of the processes that the tests start, for their PYTHONPATH."""
PYTHONPATH = f"{Path(__file__).parent.parent.parent}:{CHILD}"
"""The PYTHONPATH of a process that imports `app` or `tests`, wherever its script is."""
_traced: set[str] = set()


@contextmanager
def untraced() -> Iterator[None]:
    """Do what the block does without tracing, also in threads that it starts."""
    trace, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(of_threads)
        sys.settrace(trace)


def inherited(*names: str) -> dict[str, str]:
    """Return what a process takes over from the environment of the tests: how it is measured, and `names`."""
    return {
        name: os.environ[name] for name in ("COVERAGE_PROCESS_CONFIG", "PYTHONPATH", *names) if name in os.environ
    }


@contextmanager
def traced_once(what: str) -> Iterator[None]:
    """Trace what many tests do alike the first time that this process does it: later it covers nothing new."""
    if what in _traced:
        with untraced():
            yield
    else:
        _traced.add(what)
        yield
