"""What systemd hears: of `serve` alone, and without it of gunicorn and of the worker."""

import sys
from pathlib import Path

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.serving import FLASK, GUNICORN, environment, serving
from tests.support.store import sqlite_databases
from tests.support.systemd import NotifySocket
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

WORKER = (sys.executable, "-m", "app.cli", "worker")


def live(folder: Path, url: str) -> dict[str, str]:
    config = write_config(folder, CONFIG + f'    storage: {{ url: "{url}" }}\n')
    return environment(folder, WATS_CONFIG=str(config), WATS_MODE="live", WATS_YES_LIVE="1")


def test_a_worker_shows_that_it_works_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    with NotifySocket(tmp_path).listening() as systemd:
        environ = {**live(tmp_path, sqlite_databases(tmp_path).migrated()), "NOTIFY_SOCKET": systemd.path}
        with serving(tmp_path, command=WORKER, environ=environ, ready=False) as worker:
            wait_for(lambda: systemd.heard.count("WATCHDOG=1") > 1)
            assert worker.stop() == 0

    assert systemd.heard[0] == "READY=1"
    assert systemd.heard[-1] == "STOPPING=1"


def test_gunicorn_shows_that_its_master_looks_at_the_web_processes(tmp_path: Path) -> None:
    with NotifySocket(tmp_path).listening() as systemd:
        environ = {**live(tmp_path, sqlite_databases(tmp_path).migrated()), "NOTIFY_SOCKET": systemd.path}
        with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ) as running:
            wait_for(lambda: systemd.heard.count("WATCHDOG=1") > 1)
            assert running.stop() == 0

    assert systemd.heard[-1] == "STOPPING=1"


def test_serve_speaks_for_the_processes_that_it_starts(tmp_path: Path) -> None:
    """gunicorn would say READY too soon, with a status, which systemd takes from the main process only."""
    with NotifySocket(tmp_path).listening() as systemd:
        environ = {**live(tmp_path, sqlite_databases(tmp_path).migrated()), "NOTIFY_SOCKET": systemd.path}
        with serving(tmp_path, command=(FLASK, "wats", "serve"), environ=environ) as running:
            wait_for(lambda: systemd.heard.count("WATCHDOG=1") > 1)
            assert running.stop() == 0

    assert systemd.heard[-1] == "STOPPING=1"
    assert [line for line in systemd.heard if line.startswith("STATUS=")] == []
