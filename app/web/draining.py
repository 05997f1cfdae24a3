"""Whether this process is on its way out. Once begun, draining is not taken back."""

import threading

_draining = threading.Event()


def begin() -> None:
    """Say that this process will stop: `/readyz` turns 503, what is in flight finishes."""
    _draining.set()


def has_begun() -> bool:
    """Tells whether this process has been asked to stop."""
    return _draining.is_set()
