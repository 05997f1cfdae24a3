"""The notifier on SQLite: a named pipe beside the database for each listening process and channel."""

import errno
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import gevent
from gevent.socket import wait_read
from sqlalchemy import Connection

from app.store.engine.write import Channel
from app.store.notify.notifier import Listener, Signal

PRIVATE_FOLDER, PRIVATE_PIPE = 0o700, 0o600
CLOSE_SECONDS = 1.0


class FifoNotifier:
    """Writes a byte into each pipe of a channel after a commit. Deletes a pipe whose reader has died."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-notify")
        self._listening: dict[Channel, tuple[Signal, Path, gevent.Greenlet[..., None]]] = {}

    def notify_in_transaction(self, connection: Connection, channels: Sequence[Channel]) -> None:
        """Do nothing: a listener that was notified before the commit would look too early."""

    def notify_after_commit(self, channels: Sequence[Channel]) -> None:
        if not channels:
            return
        with suppress(OSError):  # no listener, or no free descriptor: the commit is done all the same
            for pipe in self._folder.iterdir():
                if pipe.name.partition("-")[0] in channels:
                    _write_byte(pipe)

    def listen(self, channel: Channel) -> Listener:
        if channel not in self._listening:
            pipe, signal = self._folder / f"{channel}-{secrets.token_hex(8)}", Signal()
            descriptor = _open_new_pipe(pipe)
            self._listening[channel] = signal, pipe, gevent.spawn(_read_pipe, descriptor, signal)
        return Listener(self._listening[channel][0])

    def close(self) -> None:
        for _, pipe, reading in self._listening.values():
            reading.kill(timeout=CLOSE_SECONDS)
            pipe.unlink(missing_ok=True)
        self._listening.clear()


def _open_new_pipe(pipe: Path) -> int:
    """Create a pipe and open both its ends, so that it stays open while writers come and go.

    The pipe gets its name last: a writer that met it unopened would delete it as one whose reader has died.
    """
    pipe.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    unnamed = pipe.with_name(f".{pipe.name}")
    os.mkfifo(unnamed, PRIVATE_PIPE)
    descriptor = os.open(unnamed, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    unnamed.rename(pipe)
    return descriptor


def _write_byte(pipe: Path) -> None:
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # no process has it open for reading: its reader has died
            pipe.unlink(missing_ok=True)
        return
    try:
        with suppress(BlockingIOError, BrokenPipeError):  # full of unread notifications, or its reader has just gone
            os.write(descriptor, b"!")
    finally:
        os.close(descriptor)


def _read_pipe(descriptor: int, signal: Signal) -> None:
    try:
        while True:
            wait_read(descriptor)
            with suppress(BlockingIOError):
                os.read(descriptor, 65536)
            signal.notify()
    finally:
        os.close(descriptor)
