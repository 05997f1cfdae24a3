"""A process that is frozen is ended from outside: its lock in the database is free again, and no process is left."""

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.store.engine import sqlite
from tests.faults.conftest import Serve
from tests.support.senders import missing, senders
from tests.support.serving import Running
from tests.support.store import Databases, sqlite_databases
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, signed

MASTER, WORKER = "wats-web", "wats-worker"
PAUSE_SECONDS = 20
"""Longer than any process may be silent."""


def web_processes(running: Running) -> list[int]:
    return running.pids_of(MASTER)[1:]


def has_write_lock(pid: int, url: str) -> bool:
    """Return whether this process holds the lock that every writer to the SQLite file needs."""
    inode = Path(f"{sqlite.path_of(url)}-lock").stat().st_ino
    lock = re.compile(rf"^\d+: FLOCK +ADVISORY +WRITE {pid} \S+:{inode} ", re.MULTILINE)
    return bool(lock.search(Path("/proc/locks").read_text()))


def freeze_while_writing(pids: Callable[[], list[int]], url: str) -> int:
    """Freeze one of these processes while it holds the write lock; return which."""
    frozen: list[int] = []

    def is_frozen() -> bool:
        for pid in pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                if has_write_lock(pid, url):
                    frozen.append(pid)
                    return True
                os.kill(pid, signal.SIGCONT)
        return False

    wait_for(is_frozen)
    return frozen[0]


def test_a_process_that_is_frozen_while_it_writes_is_killed_and_webhooks_are_taken_again(
    tmp_path: Path, serve: Serve
) -> None:
    url = sqlite_databases(tmp_path).migrated()
    with serve(url) as running:
        with senders(running.port, threads=2) as sent:
            for pids in (lambda: running.pids_of(WORKER), lambda: web_processes(running)):
                wait_for(pids)
                frozen = freeze_while_writing(pids, url)
                wait_for(lambda frozen=frozen: frozen not in running.pids())
                answered = sent.answers[200]
                wait_for(lambda answered=answered: sent.answers[200] > answered)
            wait_for(lambda: running.pids_of(WORKER) and len(web_processes(running)) == 2)
        assert running.err.count('"supervisor.killed_silent"') == 1

        os.kill(running.pids_of(MASTER)[0], signal.SIGSTOP)

        assert running.wait() == 128 + signal.SIGKILL
        assert running.err.count('"supervisor.killed_silent"') == 2

    assert missing(url, sent.acknowledged) == []


def test_nothing_is_killed_after_a_pause_of_the_whole_machine(databases: Databases, serve: Serve, long: bool) -> None:
    if not long:
        pytest.skip("it takes longer than the longest silence")
    with serve(databases.migrated()) as running:
        wait_for(lambda: running.pids_of(WORKER))
        time.sleep(PAUSE_SECONDS)  # long enough for each process to have been heard
        tree = running.pids()

        for pid in tree:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2 * PAUSE_SECONDS)
        for pid in tree:
            os.kill(pid, signal.SIGCONT)

        time.sleep(PAUSE_SECONDS)
        assert running.pids() == tree
        assert running.stop() == 0


def test_a_reload_that_waits_for_a_slow_request_is_no_silence(tmp_path: Path, serve: Serve, long: bool) -> None:
    if not long:
        pytest.skip("it takes longer than the longest silence")
    with (
        serve(sqlite_databases(tmp_path).migrated(), WATS_GRACE_SECONDS="40") as running,
        socket.create_connection(("127.0.0.1", running.port)) as slow,
    ):
        [master, *before] = running.pids_of(MASTER)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed(b"never").items())
        slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 5\r\n\r\n".encode())

        os.kill(master, signal.SIGHUP)
        wait_for(lambda: not set(before) & set(web_processes(running)))

        assert slow.recv(12) == b"HTTP/1.1 408"
        assert running.pids_of(MASTER)[0] == master
        assert '"supervisor.killed_silent"' not in running.err
        assert running.stop() == 0
