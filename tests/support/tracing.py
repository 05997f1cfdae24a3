"""Where coverage does not trace: it traces every call in every library, which takes most of the tests' time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_traced: set[str] = set()


@contextmanager
def untraced() -> Iterator[None]:
    """Do what the block does without tracing. Threads that it starts are traced."""
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)


@contextmanager
def traced_once(what: str) -> Iterator[None]:
    """Trace what many tests do alike the first time that this process does it: later it covers nothing new."""
    if what in _traced:
        with untraced():
            yield
    else:
        _traced.add(what)
        yield
