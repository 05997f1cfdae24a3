"""Whether this process is on its way out. Once begun, draining is not taken back.

A plain flag and no event: it is set in a signal handler, where taking a lock could wait for ever.
"""

_begun = [False]


def begin() -> None:
    """Say that this process will stop: `/readyz` turns 503, what is in flight finishes."""
    _begun[0] = True


def has_begun() -> bool:
    """Tells whether this process has been asked to stop."""
    return _begun[0]
