"""What platforms start: the Procfile's commands, the program `wats`, and the health check of the image."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.heartbeat import FRESH_FOR
from app.startup.role_file import RoleFile
from tests.support.live import write_config
from tests.support.serving import (
    GUNICORN,
    ROOT,
    environment,
    family,
    free_port,
    is_alive,
    run,
    serving,
    wait_until_ready,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

HONCHO = str(Path(sys.executable).parent / "honcho")
PROCFILE = (ROOT / "Procfile").read_text()


def test_the_procfile_releases_serves_and_works(tmp_path: Path) -> None:
    environ = environment(
        tmp_path,
        PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin",
        PORT=str(port := free_port()),
        WATS_PORT="",
        WATS_PAAS="1",
        WATS_MODE="live",
        WATS_YES_LIVE="1",
        WATS_CONFIG=str(write_config(tmp_path)),
        WATS_RUN_DIR=str(tmp_path / "run"),
    )
    release = re.search(r"^release: (.*)$", PROCFILE, re.M)
    assert release is not None
    subprocess.run(["sh", "-c", release[1]], cwd=ROOT, env=environ, check=True, capture_output=True)

    command = (HONCHO, "start", "--no-colour", "web", "worker")
    with serving(
        tmp_path, "--procfile", str(ROOT / "Procfile"), command=command, environ=environ, ready=False
    ) as honcho:
        honcho.port = port
        wait_until_ready(honcho)
        wait_for(lambda: run("worker", "--check", environ=environ).returncode == 0)
        wait_for(lambda: check_health(tmp_path / "run").stdout == "web: healthy\nworker: healthy\n")
        pids = family(honcho.process.pid)
        honcho.stop()

    assert "web.1" in honcho.out
    assert "stopped (rc=0)" in honcho.out
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "status"), ("worker", "--check")])
def test_commands_that_open_no_port_need_no_platform_port(tmp_path: Path, command: tuple[str, ...]) -> None:
    environ = environment(
        tmp_path, WATS_PAAS="1", WATS_MODE="live", WATS_YES_LIVE="1", WATS_CONFIG=str(write_config(tmp_path))
    )

    ended = run(*command, environ=environ)

    assert "PORT" not in ended.stderr
    assert ended.returncode == (0 if command == ("db", "upgrade") else 1), ended.stderr


def check_health(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the image's health check as the image does."""
    [command] = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)
    program, *arguments = json.loads(command.replace("/app", str(ROOT)))
    assert program == "python"
    environ = {"WATS_RUN_DIR": str(folder), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, check=False)


def is_healthy(folder: Path) -> bool:
    return check_health(folder).returncode == 0


def test_the_health_check_follows_the_port_and_the_database_until_the_stop(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with serving(tmp_path, environ=environment(tmp_path, WATS_RUN_DIR=str(folder))) as running:
        wait_for(lambda: (folder / "worker.json").exists())
        in_order = check_health(folder)

        with closing(sqlite3.connect(tmp_path / "data" / "wats.sqlite3", isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            wait_for(lambda: not is_healthy(folder))
            locked = check_health(folder)
        wait_for(lambda: is_healthy(folder))

        assert running.stop() == 0

    assert (in_order.returncode, in_order.stdout.splitlines()) == (0, ["web: healthy", "worker: healthy"])
    assert "web: healthy" not in locked.stdout
    assert str(running.port) in locked.stdout
    assert (check_health(folder).returncode, list(folder.iterdir())) == (1, [])


def test_gunicorn_serves_on_a_unix_socket_too(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    environ = environment(
        tmp_path, WATS_MODE="live", WATS_YES_LIVE="1", WATS_CONFIG=config, WATS_RUN_DIR=str(tmp_path / "run")
    )
    assert run("db", "upgrade", environ=environ).returncode == 0

    command = (GUNICORN, "wsgi:app", "--bind", f"unix:{tmp_path}/socket")
    with serving(tmp_path, command=command, environ=environ, ready=False) as running:
        wait_for(lambda: running.process.poll() is not None or is_healthy(tmp_path / "run"))
        assert running.stop() == 0, running.err


def test_a_worker_whose_heartbeats_have_ended_is_not_healthy(tmp_path: Path) -> None:
    RoleFile(tmp_path, "worker").record_beat()
    beating = is_healthy(tmp_path)

    (tmp_path / "worker.json").write_text('{"pid": 1, "beatAt": -99}')

    assert beating
    assert not is_healthy(tmp_path)
    [seconds] = re.findall(r"^FRESH_SECONDS = (\d+)$", (ROOT / "deploy" / "healthcheck.py").read_text(), re.M)
    assert FRESH_FOR.total_seconds() == int(seconds)


def test_a_role_that_cannot_leave_its_file_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    role_file = RoleFile(tmp_path / "no-folder", "web")

    role_file.record_addresses([("127.0.0.1", 3000)])
    role_file.remove()

    assert not is_healthy(tmp_path / "no-folder")


def test_a_worker_is_healthy_again_once_its_file_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    role_file = RoleFile(folder, "worker")
    folder.write_text("")
    for _ in range(3):
        role_file.record_beat()
    folder.unlink()

    role_file.record_beat()

    assert is_healthy(folder)
    assert [record.getMessage() for record in caplog.records] == ["role_file.not_written"]


def test_a_role_leaves_the_file_of_the_process_that_took_over(tmp_path: Path) -> None:
    (tmp_path / "web.json").write_text('{"pid": 1, "addresses": []}')

    RoleFile(tmp_path, "web").remove()

    assert (tmp_path / "web.json").exists()


def call(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run([program, *arguments], cwd="/", env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["wats", "serve", "worker", "db"])
def test_wats_is_a_program_and_a_link_to_it_runs_the_command_that_it_is_named_after(
    tmp_path: Path, name: str
) -> None:
    link = tmp_path / name
    link.symlink_to(ROOT / "deploy" / "wats")

    ended = call(link, "--help")

    assert ended.stdout.startswith("Usage: wats [" if name == "wats" else f"Usage: wats {name} ["), ended.stderr
    assert ended.returncode == 0


def test_wats_exits_as_flask_wats_does(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))

    assert call(ROOT / "deploy" / "wats", "db", "status", "--config", config, "--live", "--yes-live").returncode == 78
    assert call(ROOT / "deploy" / "wats", "no-such-command").returncode == 2
