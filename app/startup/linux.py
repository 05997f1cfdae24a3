"""Ends a process with its parent, and names it, on Linux only. Elsewhere nothing happens."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


def end_with(parent: int) -> None:
    """Let this new process get SIGTERM when its parent ends, even by SIGKILL; end it if that has happened already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if sys.platform == "linux" and os.getppid() != parent:
        os._exit(1)


def name_process(name: str) -> None:
    """Give this process, and those that it forks, a name of at most 15 bytes: `ps -o comm` and `top` show it."""
    _prctl(PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)
