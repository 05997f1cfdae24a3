"""A worker that is told to stop ends, wherever it waits: in time, by itself, and with nothing left of it."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.store import Store
from app.store.engine import sqlite
from app.store.engine.file_lock import FileLock
from tests.faults.test_faults_store import locked
from tests.store.children import Start, start
from tests.support.destinations import ScriptedDestination
from tests.support.events import new_event, put_delivery, put_events
from tests.support.live import CONFIG, write_config
from tests.support.postgres import PostgresServer
from tests.support.serving import ROOT, environment
from tests.support.store import Databases, new_receipt, sqlite_databases
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import body_of

__all__ = ["start"]

WORKING = "tests.jobs.working"
GRACE_SECONDS = 5
DELIVERING = """
    storage: {{ url: {{ env: TEST_DATABASE_URL }} }}
    destinations:
      - {{ name: crm, url: "{destination}", secret: {{ env: TEST_CRM_SECRET }}, timeoutSeconds: 60 }}
"""
STAGGER_SECONDS = 0.9
WAITING = "store.unavailable"

Trouble = Callable[[str], contextlib.AbstractContextManager[None]]


class Stopping:
    """Workers on a database, whose one destination hangs."""

    def __init__(self, folder: Path, url: str, number: int) -> None:
        self.url = url
        self._folder = folder
        self.destination = ScriptedDestination()
        self.destination.will_hang()
        config = write_config(folder, CONFIG + DELIVERING.format(destination=self.destination.url))
        self._environ = environment(
            folder,
            WATS_CONFIG=str(config),
            WATS_MODE="live",
            WATS_YES_LIVE="1",
            WATS_GRACE_SECONDS=str(GRACE_SECONDS),
            TEST_CRM_SECRET="crm-secret-91ab03c7",
            TEST_DATABASE_URL=url,
        )
        self.processes = [self._start(at) for at in range(number)]

    def log(self, at: int = 0) -> str:
        return (self._folder / f"worker{at}.log").read_text()

    def wait_for_log(self, event: str) -> None:
        """Wait until each worker has said this."""
        wait_for(lambda: all(event in self.log(at) for at in range(len(self.processes))))

    def stop_one_after_the_other(self) -> list[int]:
        """Tell each to stop, a moment after the one before; return the codes they end with."""
        for process in self.processes:
            process.terminate()
            time.sleep(STAGGER_SECONDS)
        return [process.wait(DEADLINE_SECONDS) for process in self.processes]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.destination.close()

    def _start(self, at: int) -> subprocess.Popen[bytes]:
        with (self._folder / f"worker{at}.log").open("wb") as log:
            return subprocess.Popen([sys.executable, "-m", "app.worker"], cwd=ROOT, env=self._environ, stderr=log)


@contextlib.contextmanager
def stopping(folder: Path, url: str, number: int = 1) -> Iterator[Stopping]:
    workers = Stopping(folder, url, number)
    try:
        yield workers
    finally:
        workers.close()


def add_receipt(url: str) -> None:
    store = Store(url, min_free_bytes=0, cooperative=False)
    store.open()
    store.receipts.add(new_receipt(body_of()))
    store.close()


@contextlib.contextmanager
def turn_kept(url: str) -> Iterator[None]:
    """Another process keeps the write lock: a native thread waits for it and cannot be interrupted."""
    with FileLock(sqlite.path_of(url)).held():
        yield


def test_a_worker_stops_although_the_turn_to_write_never_comes(tmp_path: Path) -> None:
    url = sqlite_databases(tmp_path).migrated()
    with stopping(tmp_path, url) as workers:
        workers.wait_for_log("worker.started")
        with turn_kept(url):
            workers.wait_for_log(WAITING)

            assert set(workers.stop_one_after_the_other()) <= {0, 70}


def test_a_worker_stops_although_the_server_is_frozen(
    tmp_path: Path, postgres_server: PostgresServer, long: bool
) -> None:
    """Its heartbeat went on for ever when the stop came while a connection was pinged: some stop at each moment."""
    url = postgres_server.migrated_database()
    with stopping(tmp_path, url, number=9 if long else 3) as workers:
        add_receipt(url)
        wait_for(lambda: len(workers.destination.calls) == 1)
        workers.wait_for_log("worker.started")
        postgres_server.freeze()
        try:
            workers.wait_for_log(WAITING)

            assert set(workers.stop_one_after_the_other()) <= {0, 70}
        finally:
            postgres_server.thaw()


def idle(workers: Stopping) -> None:
    """There is nothing to do."""
    workers.wait_for_log("worker.started")


def delivering(workers: Stopping) -> None:
    """A destination does not answer."""
    add_receipt(workers.url)
    wait_for(lambda: len(workers.destination.calls) == 1)


def starting(_workers: Stopping) -> None:
    """It has just been started."""


@pytest.mark.parametrize("place", [idle, delivering, starting])
def test_a_worker_that_is_asked_to_stop_ends(
    databases: Databases, tmp_path: Path, long: bool, place: Callable[[Stopping], None]
) -> None:
    if not long:
        pytest.skip("the daily tests have the places that it once did not come back from")
    with stopping(tmp_path, databases.migrated()) as workers:
        place(workers)

        [code] = workers.stop_one_after_the_other()

        assert code in ((0, -signal.SIGTERM) if place is starting else (0,))


@pytest.mark.parametrize("kind", ["no schema", "locked", "stopped"])
def test_a_worker_stops_although_the_database_does_not_let_it_work(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest, long: bool, kind: str
) -> None:
    if not long:
        pytest.skip("the daily tests have the places that it once did not come back from")
    if (kind, databases.kind) == ("stopped", "sqlite"):
        pytest.skip("SQLite is no server")
    url = databases.empty() if kind == "no schema" else databases.migrated()
    with stopping(tmp_path, url, number=3) as workers, contextlib.ExitStack() as trouble:
        if kind != "no schema":
            add_receipt(url)
            wait_for(lambda: len(workers.destination.calls) == 1)
        if kind == "locked" and databases.kind == "sqlite":
            trouble.enter_context(locked(url))
        elif kind != "no schema" and databases.kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            trouble.enter_context(tables_locked(server, url) if kind == "locked" else stopped(server))
        workers.wait_for_log(WAITING)

        assert set(workers.stop_one_after_the_other()) <= {0, 70}


@contextlib.contextmanager
def tables_locked(server: PostgresServer, url: str) -> Iterator[None]:
    with server.connect(url.rpartition("/")[2]) as connection:
        connection.execute("BEGIN; LOCK TABLE jobs, receipts, heartbeats")
        yield


@contextlib.contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_a_worker_of_which_one_loop_hangs_ends_itself(start: Start, tmp_path: Path, long: bool) -> None:
    """Its other loops went on, and its heartbeat with them."""
    if not long:
        pytest.skip("it takes as long as a loop may take for one iteration")
    url = sqlite_databases(tmp_path).migrated()
    worker = start(WORKING, url, "hang_while_loading")
    with contextlib.closing(Store(url, min_free_bytes=0, cooperative=False)) as store:
        store.open()
        put_delivery(store, put_events(store, new_event("hangs"))[0])

    assert worker.ends_with() == 70
