"""gevent's monkey patch, and Python's own functions where it is in force. Importing this module imports no gevent.

A process that serves or works, and one that forks such a process, patches before it imports anything else: a lock
that was made before is one of native threads, and a greenlet that waits for it stops the whole process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def patch() -> None:
    """Make the standard library cooperative, once. No event loop is started.

    `os` and `signal` stay native: a process that is forked must not be watched by an event loop of its parent.
    """
    from gevent import monkey

    if not monkey.is_module_patched("threading"):
        with _packages_read_once():
            monkey.patch_all(os=False, signal=False)
        _let_native_threads_log()


def is_patched() -> bool:
    """Return whether this process waits cooperatively."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def native(module: str, name: str) -> Any:
    """Return the original attribute of a module of the standard library, whether it is patched or not."""
    monkey = sys.modules.get("gevent.monkey")
    return getattr(import_module(module), name) if monkey is None else monkey.get_original(module, name)


def _let_native_threads_log() -> None:
    """Give `logging` a lock of native threads again: those of a thread pool use it too, and a thread that waits for a
    patched lock may never go on. No greenlet waits for anything while it holds this one.
    """
    import logging  # here, because the supervisor imports this module, and stays small

    logging._lock = native("_thread", "RLock")()  # type: ignore[attr-defined]  # noqa: SLF001


@contextmanager
def _packages_read_once() -> Iterator[None]:
    """Read only once which installed packages want to know of the patch. gevent reads that anew at each of 21 steps.

    Where 140 are installed, once takes 4 ms of processor time, and 21 times 90.
    """
    from importlib import metadata  # here, because the supervisor imports this module, and stays small

    read = metadata.entry_points
    metadata.entry_points = read().select
    try:
        yield
    finally:
        metadata.entry_points = read
