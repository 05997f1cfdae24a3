"""What platforms start: the Procfile's commands, the program `wats`, and the health check of the image."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import ROOT, environment, family, free_port, is_alive, run, serving, wait_until_ready
from tests.support.waiting import wait_for

HONCHO = str(Path(sys.executable).parent / "honcho")
PROCFILE = (ROOT / "Procfile").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


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


HEALTH_CHECK = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE, re.M)


def test_the_images_health_check_finds_the_gateway_and_fails_without_it(tmp_path: Path) -> None:
    assert HEALTH_CHECK is not None
    _, script = json.loads(HEALTH_CHECK[1])
    with serving(tmp_path) as running:
        port, other = str(running.port), str(free_port())
        environs: list[dict[str, str]] = [
            {"WATS_PORT": port},
            {"WATS_PORT": port, "PORT": other},
            {"PORT": port},
            {"WATS_PORT": "tcp://10.0.0.1:3000", "PORT": port},
            {"WATS_PORT": port, "http_proxy": f"http://127.0.0.1:{other}"},
        ]
        codes = [check_health(script, environ) for environ in environs]

        running.stop()

    assert codes == [0] * len(environs)
    assert check_health(script, {"WATS_PORT": port}) == 1


def check_health(script: str, environ: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-I", script], cwd=ROOT, env=environ, check=False).returncode


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
