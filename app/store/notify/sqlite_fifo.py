"""The notifier on SQLite: a named pipe beside the database for each listener."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

import gevent
from gevent.socket import wait_read
from sqlalchemy import Connection

from app.store.notify.notifier import Channel, Listener, Signals

PRIVATE_FOLDER, PRIVATE_PIPE = 0o700, 0o600


class FifoNotifier:
    """A named pipe for each listener, in a folder beside the database. A pipe that nobody reads is taken away."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-notify")
        self._heard: dict[Channel, tuple[Signals, Path, gevent.Greenlet[..., None]]] = {}

    def notify_in_transaction(self, connection: Connection, *channels: Channel) -> None:
        """Nothing: whoever heard it now would look too early."""

    def notify_after_commit(self, *channels: Channel) -> None:
        with suppress(OSError):  # nobody listens, or no descriptor is free: what is committed stays so
            for pipe in self._folder.iterdir():
                if pipe.name.partition("-")[0] in channels:
                    _write_a_byte(pipe)

    def listen(self, channel: Channel) -> Listener:
        if channel not in self._heard:
            pipe, signals = self._folder / f"{channel}-{secrets.token_hex(8)}", Signals()
            descriptor = _open_new_pipe(pipe)
            self._heard[channel] = signals, pipe, gevent.spawn(_hear_pipe, descriptor, signals)
        return Listener(self._heard[channel][0])

    def close(self) -> None:
        for _, pipe, greenlet in self._heard.values():
            greenlet.kill()
            pipe.unlink(missing_ok=True)
        self._heard.clear()


def _open_new_pipe(pipe: Path) -> int:
    """Both ends are ours, so that the pipe stays open while others come and go. It gets its name once it is open:
    who rang it before would take it for one that nobody reads."""
    pipe.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    unheard = pipe.with_name(f".{pipe.name}")
    os.mkfifo(unheard, PRIVATE_PIPE)
    descriptor = os.open(unheard, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    unheard.rename(pipe)
    return descriptor


def _write_a_byte(pipe: Path) -> None:
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody has it open for reading: its process is dead
            pipe.unlink(missing_ok=True)
        return
    try:
        with suppress(BlockingIOError, BrokenPipeError):  # full of signals that nobody has heard yet, or just left
            os.write(descriptor, b"!")
    finally:
        os.close(descriptor)


def _hear_pipe(descriptor: int, signals: Signals) -> None:
    try:
        while True:
            wait_read(descriptor)
            with suppress(BlockingIOError):
                os.read(descriptor, 65536)
            signals.notify()
    finally:
        os.close(descriptor)
