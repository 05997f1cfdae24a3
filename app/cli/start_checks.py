"""Checks before `serve` starts a process: enough descriptors, a free port, and a database of its own.

A predecessor that was just killed may still hold the port, and the database server may be starting too: `serve`
waits some seconds for each.
"""

import errno
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from app.cli import CommandFailed, Misconfigured
from app.config import Settings
from app.config.start_options import HOST, PORT
from app.startup.descriptors import NEEDED_DESCRIPTORS, raise_descriptor_limit, too_few_descriptors

T = TypeVar("T")

PORT_SECONDS, DATABASE_SECONDS = 5.0, 15.0
RETRY_SECONDS = 0.2


class _Passing(Exception):
    """A failure that may pass by itself."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure


def refuse_partial_installation(root: Path) -> None:
    """Raise CommandFailed if pip has copied the commands out of the clone: gunicorn's settings have stayed there."""
    if not (root / "gunicorn.conf.py").exists():
        raise CommandFailed(
            "this installation has the commands only; in the clone run `pip install -e .` or `make setup`"
        )


@contextmanager
def stoppable() -> Iterator[None]:
    """End with code 0 at a SIGTERM while the block runs: nothing has been started yet. As PID 1 none would end us."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def refuse_few_descriptors() -> None:
    """Raise `Misconfigured` if processes may open too few files: they would accept no connection."""
    if (limit := raise_descriptor_limit()) < NEEDED_DESCRIPTORS:
        raise Misconfigured(too_few_descriptors(limit))


def refuse_taken_port(host: str, port: int) -> None:
    """Raise `CommandFailed` if the address cannot be listened on."""
    try:
        _patiently(lambda: _bind(host, port), PORT_SECONDS)
    except OSError as error:
        cure = PORT if error.errno in (errno.EADDRINUSE, errno.EACCES) else HOST
        reason = f"cannot listen on {host} port {port}: {error.strerror}"
        raise CommandFailed(f"{reason}; give another one with {cure.flag} or {cure.variable}") from error


def bring_schema_to_head(settings: Settings) -> None:
    """Upgrade the schema. Raise `CommandFailed` or `Misconfigured` if this code cannot use the database."""
    # here, because a refused start and --print-config need no database, and importing it takes half their time
    from app.cli.opened_store import reporting_store_errors, require_compatible, store_to_upgrade
    from app.store import SchemaStatus, StoreUnreachable

    store = store_to_upgrade(settings)

    def upgrade() -> SchemaStatus:
        try:
            return store.upgrade_schema()
        except StoreUnreachable as error:
            if error.is_passing:
                raise _Passing(error) from error
            raise

    with reporting_store_errors(settings):
        status = _patiently(upgrade, DATABASE_SECONDS)
    require_compatible(status)


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise _Passing(error) from error
            raise


def _patiently(attempt: Callable[[], T], seconds: float) -> T:
    """Return the result of the attempt. Repeat it for this many seconds while its failure may be temporary."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except _Passing as passing:
            if time.monotonic() >= deadline:
                raise passing.failure from None
        time.sleep(RETRY_SECONDS)
