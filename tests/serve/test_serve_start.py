"""What `serve` needs before it serves: a database that it reaches, its port, and enough descriptors."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.postgres import PostgresServer
from tests.support.serving import FLASK, GUNICORN, Running, environment, free_port, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

LIVE = ("--live", "--yes-live")
POSTGRES = CONFIG + "    storage: { url: { env: TEST_DATABASE_URL } }\n"
FEW = ("sh", "-c", 'ulimit -n 200 && exec "$@"', "sh")


def sentence_of(folder: Path, url: str) -> str:
    """What `db upgrade` says of this database: one line, without a traceback."""
    config = str(write_config(folder, POSTGRES))

    ended = run("db", "upgrade", "--config", config, *LIVE, environ=environment(folder, TEST_DATABASE_URL=url))

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), ended.stderr
    return ended.stderr


def test_each_way_of_not_reaching_the_database_has_its_sentence(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.empty_database()
    here = f"127.0.0.1:{postgres_server.port}"
    urls = {
        "no database of this name": postgres_server.url("missing_database"),
        "refuses the role or its password": url.replace("postgres@", "planted_role:planted-password@"),
        "nothing listens on the host and port": url.replace(here, f"127.0.0.1:{free_port()}"),
        "the host name of the database is unknown": url.replace(here, "planted.invalid:5432"),
    }

    told = {sentence: sentence_of(tmp_path, given) for sentence, given in urls.items()}

    assert [sentence for sentence, line in told.items() if sentence not in line] == [], told
    assert all(line.endswith("(see TEST_DATABASE_URL)\n") for line in told.values())
    assert not any(word in line for line in told.values() for word in ("planted", "missing_database", "127.0.0.1"))


def test_a_worker_and_plain_gunicorn_log_why_they_do_not_reach_the_database(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.empty_database().replace("postgres@", "planted_role:planted-password@")
    start = {"WATS_CONFIG": str(write_config(tmp_path, POSTGRES)), "WATS_MODE": "live", "WATS_YES_LIVE": "1"}
    environ = environment(tmp_path, TEST_DATABASE_URL=url, WEB_CONCURRENCY="1", **start)
    folders = [tmp_path / name for name in ("web", "worker")]
    for folder in folders:
        folder.mkdir()

    with (
        serving(folders[0], command=(GUNICORN,), environ=environ, ready=False) as web,
        serving(folders[1], command=(FLASK, "wats", "worker"), environ=environ, ready=False) as worker,
    ):
        wait_for(lambda: answers(web))
        body = body_of()
        status, webhook = web.ask("POST", PATH, body, signed(body))
        probed = web.ask("GET", "/readyz")[1]
        wait_for(lambda: told(worker, "store.unavailable"))

    lines = [
        *told(web, "store.unavailable"),
        *told(worker, "store.unavailable"),
    ]
    assert (status, len(told(web, "store.unavailable"))) == (503, 1)
    reason = "the database server refuses the role or its password; correct the URL, or the server's roles"
    assert {line["reason"] for line in lines} == {f"{reason} (see TEST_DATABASE_URL)"}
    assert not any(b"role" in answer or b"TEST_DATABASE_URL" in answer for answer in (webhook, probed))
    assert "planted" not in web.err + worker.err


def answers(running: Running) -> bool:
    with contextlib.suppress(OSError):
        return running.ask("GET", "/healthz")[0] == 200
    return False


def told(running: Running, event: str) -> list[dict[str, Any]]:
    """Return the lines of the log about this event."""
    return [json.loads(line) for line in running.err.splitlines() if f'"{event}"' in line]


def test_serve_waits_for_a_database_that_is_away_at_first(tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.empty_database()
    config = str(write_config(tmp_path, POSTGRES))
    with late(postgres_server.port) as (port, turned_away):
        environ = environment(tmp_path, TEST_DATABASE_URL=url.replace(f":{postgres_server.port}/", f":{port}/"))

        with serving(tmp_path, "--config", config, *LIVE, environ=environ, anew=True) as running:
            assert running.stop() == 0

    assert turned_away.is_set()


@contextlib.contextmanager
def late(port: int) -> Iterator[tuple[int, threading.Event]]:
    """Listen on a port, close the first connection at once, and lead the others to a server's port.

    Yield the port, and an event that is set once a connection was turned away.
    """
    turned_away = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        leading = threading.Thread(target=_lead_on, args=(listener, port, turned_away))
        leading.start()
        yield listener.getsockname()[1], turned_away
        listener.shutdown(socket.SHUT_RDWR)  # ends accept()
        leading.join()


def _lead_on(listener: socket.socket, port: int, turned_away: threading.Event) -> None:
    relays = []
    with contextlib.suppress(OSError):
        listener.accept()[0].close()
        turned_away.set()
        while True:
            relays.append(threading.Thread(target=_relay, args=(listener.accept()[0], port)))
            relays[-1].start()
    for relay in relays:
        relay.join()


def _relay(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        answering = threading.Thread(target=_copy, args=(server, client))
        answering.start()
        _copy(client, server)
        answering.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


def test_serve_waits_for_a_port_that_becomes_free(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as holder:
        environ = environment(tmp_path, WATS_PORT=str(holder.getsockname()[1]))
        with serving(tmp_path, "--config", config, "--dry-run", environ=environ, ready=False, anew=True) as running:
            wait_for(lambda: running.err)  # its warnings come just before the port is tried
            holder.close()

            wait_for(lambda: "serve.listening" in running.out or running.process.poll() is not None)
            assert running.stop() == 0


@pytest.mark.parametrize("command", [(FLASK, "wats", "serve"), (GUNICORN, "wsgi:app")], ids=["serve", "gunicorn"])
def test_too_few_descriptors_are_refused_by_name(tmp_path: Path, command: tuple[str, ...]) -> None:
    environ = environment(tmp_path, WATS_MODE="dry-run", WATS_CONFIG=str(write_config(tmp_path)))

    with serving(tmp_path, command=(*FEW, *command), environ=environ, ready=False) as running:
        code = running.wait()

    assert code == 78
    assert "RLIMIT_NOFILE: a process may open 200 files and sockets, and 256 are needed" in running.err
    assert "serve.listening" not in running.out
    assert "Traceback" not in running.err
