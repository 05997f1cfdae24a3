"""The bell: tells other processes that something was committed, so that nobody has to ask again and again.

A ring says "look", never what there is; one that is lost costs a poll's delay and nothing else. On SQLite each
listener has a named pipe beside the database; on PostgreSQL a ring is a NOTIFY that goes out with its commit.
"""

import errno
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

import gevent
from gevent.event import Event
from gevent.socket import wait_read
from sqlalchemy import Connection, func, select

from app.store import postgres, sqlite

Channel = Literal["work", "events"]
CHANNELS: tuple[Channel, ...] = ("work", "events")

RECONNECT_SECONDS = 1.0
COARSE_SECONDS = 0.05
PRIVATE_FOLDER, PRIVATE_PIPE = 0o700, 0o600


class Listener:
    """Hears the rings of one channel; those between two waits are not missed."""

    def __init__(self, rings: "Rings") -> None:
        self._rings = rings
        self._heard = rings.count

    def wait(self, seconds: float) -> bool:
        """Wait for a ring since the last wait, so many seconds at most; True if there was one."""
        rung = self._rings.wait(self._heard, seconds)
        self._heard = self._rings.count
        return rung


class Rings:
    """How often a channel has rung in this process, and who waits for the next time."""

    def __init__(self) -> None:
        self.count = 0
        self._next = Event()

    def ring(self) -> None:
        """Wake everybody who waits."""
        self.count += 1
        rung, self._next = self._next, Event()
        rung.set()

    def wait(self, heard: int, seconds: float) -> bool:
        """Wait until it has rung more often than `heard`."""
        return self.count > heard or bool(self._next.wait(seconds))


class Bell(Protocol):
    """Rings a channel with or after a commit, and listens to it."""

    def within(self, connection: Connection, *channels: Channel) -> None:
        """Called inside the transaction that gives reason to ring."""
        ...

    def after(self, *channels: Channel) -> None:
        """Called once that transaction is durable."""
        ...

    def listen(self, channel: Channel) -> Listener:
        """Hear the rings of a channel from now on."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class PipeBell:
    """A named pipe for each listener, in a folder beside the database. A pipe that nobody reads is taken away."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-bells")
        self._heard: dict[Channel, tuple[Rings, Path, gevent.Greenlet[..., None]]] = {}

    def within(self, connection: Connection, *channels: Channel) -> None:
        """Nothing: whoever heard it now would look too early."""

    def after(self, *channels: Channel) -> None:
        with suppress(OSError):  # nobody listens, or no descriptor is free: what is committed stays so
            for pipe in self._folder.iterdir():
                if pipe.name.partition("-")[0] in channels:
                    _write_a_byte(pipe)

    def listen(self, channel: Channel) -> Listener:
        if channel not in self._heard:
            pipe, rings = self._folder / f"{channel}-{secrets.token_hex(8)}", Rings()
            descriptor = _open_new_pipe(pipe)
            self._heard[channel] = rings, pipe, gevent.spawn(_hear_pipe, descriptor, rings)
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
        with suppress(BlockingIOError, BrokenPipeError):  # full of rings that nobody has heard yet, or just left
            os.write(descriptor, b"!")
    finally:
        os.close(descriptor)


def _hear_pipe(descriptor: int, rings: Rings) -> None:
    try:
        while True:
            wait_read(descriptor)
            with suppress(BlockingIOError):
                os.read(descriptor, 65536)
            rings.ring()
    finally:
        os.close(descriptor)


class NotifyBell:
    """PostgreSQL's own: one connection of this process listens for all channels."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._rings = {channel: Rings() for channel in CHANNELS}
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def within(self, connection: Connection, *channels: Channel) -> None:
        for channel in channels:
            connection.execute(select(func.pg_notify(_wire_name(channel), "")))

    def after(self, *channels: Channel) -> None:
        """Nothing: the server rang at the commit."""

    def listen(self, channel: Channel) -> Listener:
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._hear_for_ever)
        return Listener(self._rings[channel])

    def close(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None

    def _hear_for_ever(self) -> None:
        while True:
            with suppress(*postgres.connection_errors()):
                self._hear()
            gevent.sleep(RECONNECT_SECONDS)

    def _hear(self) -> None:
        with postgres.listening(self._url, map(_wire_name, CHANNELS)) as names:
            self._ring_all()  # something may have happened while nobody listened
            for name in names:
                self._rings[_channel(name)].ring()

    def _ring_all(self) -> None:
        for rings in self._rings.values():
            rings.ring()


def _wire_name(channel: Channel) -> str:
    return f"wats_{channel}"


def _channel(wire_name: str) -> Channel:
    return "events" if wire_name == _wire_name("events") else "work"


class CoarseBell:
    """For a process without a gevent loop: it rings for others, and to listen is to look again after a moment."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self.within, self.after, self.close = bell.within, bell.after, bell.close

    def listen(self, channel: Channel) -> "CoarseListener":  # noqa: ARG002
        return CoarseListener()


class CoarseListener(Listener):
    """Looks again every now and then."""

    def __init__(self) -> None:
        """It hears nothing, so that it needs nothing."""

    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, COARSE_SECONDS))
        return True


def bell_for(url: str, *, cooperative: bool) -> Bell:
    """The bell of the database that the URL names."""
    bell: Bell = PipeBell(sqlite.path_of(url)) if url.startswith("sqlite:") else NotifyBell(url)
    return bell if cooperative else CoarseBell(bell)
