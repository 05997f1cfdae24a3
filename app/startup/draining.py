"""Whether this process is stopping. Draining that has begun is not taken back.

A plain flag and not an event: a signal handler sets it, and there waiting for a lock could take for ever.
"""

_begun = [False]


def begin() -> None:
    """Begin to stop: `/readyz` turns 503. With WATS_DRAIN_SECONDS requests are still accepted for that time."""
    _begun[0] = True


def has_begun() -> bool:
    """Return whether this process has been asked to stop."""
    return _begun[0]
