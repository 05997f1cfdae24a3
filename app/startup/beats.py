"""Beats: a process shows those outside of it that it works. They kill it when it is silent for too long.

A beat is sent after work and by the loop that works, never by a timer that only shows that the process is there. It
goes to `serve` through a pipe; without `serve`, to systemd if that asks for it; else nowhere. Sending never waits.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol

from app.gevent_patch import native

BEAT, PATIENCE = b".", b"w"
"""The messages in the pipe: "I work", and "I stop or load anew; wait for as long as a stop may take"."""

NOTIFY_SOCKET = "NOTIFY_SOCKET"


class Beats(Protocol):
    """Where a process shows that it works."""

    def beat(self) -> None:
        """Show that this process has just worked. To be called about every second."""
        ...

    def ask_for_patience(self) -> None:
        """Announce a silence that may last as long as a stop."""
        ...

    def announce_stop(self) -> None:
        """Announce that the process stops: it sends no beat any more."""
        ...


class PipeBeats:
    """Beats for `serve`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def beat(self) -> None:
        self._send(BEAT)

    def ask_for_patience(self) -> None:
        self._send(PATIENCE)

    def announce_stop(self) -> None:
        self._send(PATIENCE)

    def _send(self, sign: bytes) -> None:
        with suppress(OSError):  # full, because `serve` itself is frozen, or closed, because it has died
            os.write(self._descriptor, sign)


class SystemdBeats:
    """Beats for systemd: `WatchdogSec=` with `Type=notify`. Source: sd_notify(3)."""

    def __init__(self, address: str) -> None:
        import socket  # here, because most supervisors, which stay small, need none

        self._address = "\0" + address[1:] if address.startswith("@") else address
        new_socket = native("socket", "socket")  # gevent's would start an event loop in gunicorn's master
        self._open = partial(new_socket, socket.AF_UNIX, socket.SOCK_DGRAM)

    def beat(self) -> None:
        self._send(b"READY=1\nWATCHDOG=1")

    def ask_for_patience(self) -> None:
        """Send nothing: `WatchdogSec` is to be longer than a stop."""

    def announce_stop(self) -> None:
        self._send(b"STOPPING=1")

    def _send(self, state: bytes) -> None:
        with suppress(OSError), self._open() as sender:
            sender.settimeout(0)
            sender.sendto(state, self._address)


class NoBeats:
    """No supervisor reads beats: this sends none."""

    def beat(self) -> None:
        """Send nothing."""

    def ask_for_patience(self) -> None:
        """Send nothing."""

    def announce_stop(self) -> None:
        """Send nothing."""


def beats_of_this_process(environ: Mapping[str, str] = os.environ) -> Beats:
    """Return where this process's beats go."""
    from app.config.start_options import SUPERVISED  # here, because the supervisor imports no config

    descriptor = _descriptor_of(environ.get(SUPERVISED.variable, ""))
    if descriptor is not None:
        return PipeBeats(descriptor)
    if SUPERVISED.variable not in environ and environ.get(NOTIFY_SOCKET):
        return SystemdBeats(environ[NOTIFY_SOCKET])
    return NoBeats()


def name_pipe(descriptor: int) -> str:
    """Return the value of the variable by which a child finds this pipe: `descriptor:inode`."""
    return f"{descriptor}:{os.fstat(descriptor).st_ino}"


def _descriptor_of(name: str) -> int | None:
    """Return the pipe's descriptor. None if it is not open here: another file may have its number."""
    number, _, inode = name.partition(":")
    with suppress(OSError, ValueError):
        status = os.fstat(int(number))
        if stat.S_ISFIFO(status.st_mode) and status.st_ino == int(inode):
            return int(number)
    return None
