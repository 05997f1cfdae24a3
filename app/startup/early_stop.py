"""A SIGTERM that comes while a process starts: before it has anything to stop in order, and handlers for that.

By default SIGTERM kills a process, but not PID 1 of a container: for PID 1 the kernel drops it. The programs of the
image therefore start with SIGTERM blocked (Dockerfile), so that the kernel keeps it until this module unblocks it.
Import little here: it is imported before everything else.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

LASTING = {"serve", "worker"}
"""The commands that run until they are stopped. Others are cut off by SIGTERM: their exit code must not be 0."""

EXIT_CUT_OFF = 128 + signal.SIGTERM


def end_at_sigterm(code: int = 0) -> None:
    """End this process at a SIGTERM, also at one that has come already, until another handler replaces this.

    It ends without clean-up: an exception could get lost in a callback, of which an import has many.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def end_command_at_sigterm(arguments: Sequence[str]) -> None:
    """Let a SIGTERM end the command of these arguments, as those of `sys.argv`: with 0 if it is a lasting one."""
    if command_of(arguments) in LASTING:
        end_at_sigterm()
    elif os.getpid() == 1:
        end_at_sigterm(EXIT_CUT_OFF)
    else:  # the default action is quicker: it does not wait for a call of the database to return
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def command_of(arguments: Sequence[str]) -> str:
    """Return the word after `wats`, or the program's own name where it is called `serve`, `worker` or `db`."""
    words = [Path(arguments[0]).name, *arguments[1:]]
    return words[words.index("wats") + 1] if "wats" in words[:-1] else words[0]
