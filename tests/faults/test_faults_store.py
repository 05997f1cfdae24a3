"""A store in trouble under load: 503 within a bounded wait while it lasts, 200 afterwards without a restart."""

import contextlib
import fcntl
import os
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.store.engine import sqlite
from tests.faults.conftest import SERVE, Serve
from tests.support.postgres import PostgresServer
from tests.support.senders import Senders, missing, senders
from tests.support.serving import GUNICORN, Running, without_roots_rights
from tests.support.store import sqlite_databases
from tests.support.waiting import wait_for

MASTER = "wats-web"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return sqlite_databases(tmp_path).migrated()


def web_processes(running: Running) -> list[int]:
    return running.pids_of(MASTER)[1:]


def wait_for_status(sent: Senders, status: int, more: int = 20) -> None:
    """Until this many more answers had this status."""
    enough = sent.answers[status] + more
    wait_for(lambda: sent.answers[status] >= enough)


def stand(
    running: Running, sent: Senders, trouble: contextlib.AbstractContextManager[object], *, refusals: int = 8
) -> None:
    """Check for 200 before the trouble, 503 until this many were refused, and then 200 by the same processes."""
    wait_for_status(sent, 200)
    before = web_processes(running)
    with trouble:
        wait_for_status(sent, 503, more=refusals)
        assert running.ask("GET", "/healthz")[0] == 200
        wait_for(lambda: running.ask("GET", "/readyz")[0] == 503)
    wait_for_status(sent, 200)
    wait_for(lambda: running.ask("GET", "/readyz")[0] == 200)
    assert web_processes(running) == before


def assert_kept(url: str, sent: Senders) -> None:
    """Everything acknowledged is there, no request was kept waiting, and no answer was anything but 200 or 503."""
    assert missing(url, sent.acknowledged) == []
    assert set(sent.answers) == {200, 503}


def test_a_locked_database_is_waited_out(sqlite_url: str, serve: Serve, long: bool) -> None:
    with serve(sqlite_url) as running, senders(running.port) as sent:
        stand(running, sent, locked(sqlite_url), refusals=40 if long else 8)

    assert_kept(sqlite_url, sent)


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Let another program hold SQLite's write lock."""
    other = sqlite.driver().connect(sqlite.path_of(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_a_process_that_keeps_the_turn_to_write_delays_the_others_for_a_bounded_time(
    sqlite_url: str, serve: Serve
) -> None:
    with serve(sqlite_url) as running, senders(running.port) as sent:
        stand(running, sent, turn_kept(sqlite_url))

    assert_kept(sqlite_url, sent)


@contextlib.contextmanager
def turn_kept(url: str) -> Iterator[None]:
    """A process that was stopped while it wrote still has the lock between processes."""
    lock = os.open(f"{sqlite.path_of(url)}-lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def test_an_io_error_ends_the_process_and_another_goes_on(sqlite_url: str, serve: Serve) -> None:
    with serve(sqlite_url) as running, senders(running.port) as sent:
        before = set(web_processes(running))
        for process in before:  # its write-ahead log may not grow beyond this, which SQLite is told as an I/O error
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

        wait_for(lambda: len(web_processes(running)) == 2 and not before & set(web_processes(running)))

        wait_for_status(sent, 200)
        assert running.err.count('"store.broken"') == 2
        assert sent.answers[503] > 0

    assert missing(sqlite_url, sent.acknowledged) == []


def test_a_full_disk_is_survived(tmp_path: Path, serve: Serve) -> None:
    """On a small file system of its own, in a name space of its own; the guard is told to let it fill up.

    It is larger than the log grows between two checkpoints: else the webhooks fill it up for good by themselves.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=64m tmpfs {disk} && exec {' '.join(SERVE)}"
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    command = ("unshare", *user, "--mount", "--kill-child", "sh", "-c", mount)
    with serve(f"sqlite:///{disk}/wats.sqlite3", command=command, ready=False) as running:
        wait_for(lambda: running.process.poll() is not None or is_ready(running))
        if re.search("permission denied|not permitted", running.err, re.IGNORECASE):
            pytest.skip("this machine lets nobody mount a file system")
        seen = Path(f"/proc/{running.process.pid}/root{disk}")
        with senders(running.port) as sent:
            stand(running, sent, filled(seen))
        shutil.copytree(seen, tmp_path / "copy", ignore=shutil.ignore_patterns("*-notify"))

    assert_kept(f"sqlite:///{tmp_path}/copy/wats.sqlite3", sent)


def is_ready(running: Running) -> bool:
    with contextlib.suppress(OSError):
        return running.ask("GET", "/readyz")[0] == 200
    return False


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Something else takes the last byte of the disk."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


def test_a_read_only_database_is_served_once_it_may_be_written(sqlite_url: str, serve: Serve) -> None:
    path = sqlite.path_of(sqlite_url)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    with serve(sqlite_url, command=without_roots_rights(GUNICORN, "wsgi:app"), ready=False) as running:
        wait_for(lambda: "serve.listening" in running.out)
        with senders(running.port) as sent:
            wait_for_status(sent, 503)
            assert running.ask("GET", "/healthz")[0] == 200
            assert running.ask("GET", "/readyz")[0] == 503
            before = running.pids()

            path.chmod(0o600)
            path.parent.chmod(0o700)

            wait_for_status(sent, 200)
            assert running.pids() == before

    assert_kept(sqlite_url, sent)


@pytest.mark.parametrize("trouble", ["stopped", "killed", "frozen"])
def test_postgresql_in_trouble_is_waited_out(
    postgres_server: PostgresServer, serve: Serve, long: bool, trouble: str
) -> None:
    url = postgres_server.migrated_database()
    with serve(url) as running, senders(running.port) as sent:
        for _ in range(5 if long else 1):
            stand(running, sent, TROUBLES[trouble](postgres_server))

    assert_kept(url, sent)
    assert "Traceback" not in running.err


@contextlib.contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def killed(server: PostgresServer) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


TROUBLES: dict[str, Callable[[PostgresServer], contextlib.AbstractContextManager[None]]] = {
    "stopped": stopped,
    "killed": killed,
    "frozen": frozen,
}
