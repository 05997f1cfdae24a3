"""The settings that a process has loaded, for those that it forks.

A web process must not read the files again: one that has become invalid since would make every start of it fail. The
master and the worker need not: to read them costs each 9 ms and 3 MB of shared memory.
"""

import os

from app.config.settings import Settings

_handed_over: list[tuple[int, Settings]] = []


def hand_over(settings: Settings) -> None:
    """Keep the settings for the processes that this one forks; a reload replaces them."""
    _handed_over[:] = [(os.getpid(), settings)]


def handed_over() -> Settings | None:
    """Return the settings of the master or the launcher; None where there is none, as under the `flask` command."""
    return _handed_over[0][1] if _handed_over else None


def inherited() -> Settings | None:
    """Return the settings of the process that has forked this one; None where this one has handed over its own."""
    return handed_over() if _handed_over and _handed_over[0][0] != os.getpid() else None
