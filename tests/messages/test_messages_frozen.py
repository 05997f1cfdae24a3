"""A worker stands still, or stops, between the reservation of a message and the end of its POST."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from app.domain.message import Message
from app.graph.fake.server import FakeMetaServer
from app.store import Store
from app.store.engine.sqlite import driver, path_of
from tests.messages.conftest import StartWorker
from tests.messages.test_messages_send import posts_of, status_of, to
from tests.support.messages import accept, tracker_of
from tests.support.store import sqlite_databases
from tests.support.waiting import DEADLINE_SECONDS, wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")


ABOUT_THE_TOKEN = 1
"""Connections of a worker that starts, beside those for messages: it asks Meta how long its token is valid."""


class SlowTls:
    """A proxy in front of Meta. It answers connections at once; TLS is agreed on once `may_agree` is set."""

    def __init__(self, port: int, authority: trustme.CA) -> None:
        self._port = port
        self._context = ssl_context_of(authority)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.may_agree = threading.Event()
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.may_agree.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        self.may_agree.wait()
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self._port)) as meta,
            self._context.wrap_socket(client, server_side=True) as secure,
        ):
            back = threading.Thread(target=pass_on, args=(meta, secure), daemon=True)
            back.start()
            pass_on(secure, meta)
            back.join()


def ssl_context_of(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What the databases record is tested on both; here the processes are what counts."""
    return sqlite_databases(tmp_path).migrated()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def slow(meta: FakeMetaServer, authority: trustme.CA) -> Iterator[SlowTls]:
    slow = SlowTls(int(meta.url.rpartition(":")[2]), authority)
    yield slow
    slow.close()


@pytest.fixture
def trusted(tmp_path: Path, authority: trustme.CA) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


class TestBehindSlowTls:
    """Connecting takes long, so that a worker can stand still before it writes."""

    @pytest.fixture
    def meta_url(self, slow: SlowTls) -> str:
        return slow.url

    def test_a_worker_that_stood_still_writes_nothing_and_gives_back_what_was_not_sent_again(
        self, url: str, accepting: Store, meta: FakeMetaServer, slow: SlowTls, trusted: str, start_worker: StartWorker
    ) -> None:
        again, waiting = accept(accepting, to("0001"), to("0002"))
        frozen = start_worker(SSL_CERT_FILE=trusted)
        wait_for(lambda: slow.connections == 2 + ABOUT_THE_TOKEN)
        freeze(frozen, url)
        slow.may_agree.set()
        start_worker(SSL_CERT_FILE=trusted)
        wait_for(lambda: {status_of(accepting, message) for message in (again, waiting)} == {"unknown"})
        accepting.messages.send_again(again, timedelta(days=1))
        wait_for(lambda: status_of(accepting, again) == "accepted")

        os.kill(frozen.pid, signal.SIGCONT)
        wait_for(lambda: status_of(accepting, waiting) == "accepted")

        frozen.terminate()
        assert frozen.wait(DEADLINE_SECONDS) == 0
        sent = {tracker_of(accepting, again, resends=1): 1, tracker_of(accepting, waiting): 1}
        assert posts_of(meta) == sent

    def test_a_worker_that_stops_before_it_writes_gives_the_message_back(
        self, accepting: Store, meta: FakeMetaServer, slow: SlowTls, trusted: str, start_worker: StartWorker
    ) -> None:
        [message] = accept(accepting, to("0000"))
        stopping = start_worker(SSL_CERT_FILE=trusted)
        wait_for(lambda: slow.connections == 1 + ABOUT_THE_TOKEN)

        stopping.terminate()
        assert stopping.wait(DEADLINE_SECONDS) == 0

        assert history_of(accepting, message) == ["queued"]
        assert posts_of(meta).total() == 0


def history_of(store: Store, message: Message) -> list[str]:
    found = store.messages.get(message.id)
    assert found is not None
    return [entry.status for entry in found.history]


def freeze(worker: subprocess.Popen[bytes], url: str) -> None:
    """Stop a worker where it is in no transaction: with SQLite's write lock it would stop all others too."""
    with contextlib.closing(driver().connect(path_of(url), timeout=0.5, isolation_level=None)) as connection:
        while True:
            os.kill(worker.pid, signal.SIGSTOP)
            with contextlib.suppress(driver().OperationalError):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                return
            os.kill(worker.pid, signal.SIGCONT)


def test_an_answer_that_a_worker_reads_after_it_stood_still_is_recorded(
    url: str, accepting: Store, meta: FakeMetaServer, start_worker: StartWorker
) -> None:
    [message] = accept(accepting, to("5010"))
    frozen = start_worker()
    wait_for(lambda: posts_of(meta)[tracker_of(accepting, message)] == 1)
    freeze(frozen, url)
    start_worker()
    wait_for(lambda: status_of(accepting, message) == "unknown")

    os.kill(frozen.pid, signal.SIGCONT)
    wait_for(lambda: status_of(accepting, message) == "accepted")

    assert history_of(accepting, message) == ["queued", "sending", "unknown", "accepted"]
    assert posts_of(meta).total() == 1
