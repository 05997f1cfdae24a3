"""`flask wats status` against a running service: tables, JSON and the exit code."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import GUNICORN, ROOT, Running, environment, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import bearer


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a gateway whose worker is known to be alive."""
    with serving(tmp_path_factory.mktemp("gateway")) as running:
        wait_for(lambda: running.json("/status", bearer())["attention"] == [])
        yield running


def status(running: Running, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run("status", *arguments, environ=environment_of(running, **more))


def environment_of(running: Running, **more: str) -> dict[str, str]:
    return {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml"), **more}


def test_a_gateway_with_a_live_worker_needs_no_attention(gateway: Running) -> None:
    printed, as_json = status(gateway), json.loads(status(gateway, "--json").stdout)

    assert (printed.returncode, printed.stderr) == (0, "")
    assert "receipts.pending" in printed.stdout
    assert "\nworkers\n" in printed.stdout
    assert as_json["attention"] == []
    assert set(as_json["checks"].values()) == {"ok"}


def test_a_gateway_without_a_worker_needs_attention(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    with serving(tmp_path, "--config", config, "--live", "--yes-live", "--without-worker") as running:
        ended = status(running)

    assert ended.returncode == 1
    assert ended.stderr.startswith("needs attention:\n- no worker is alive")


def test_a_gateway_that_is_not_ready_names_the_failed_check(tmp_path: Path) -> None:
    start = {"WATS_CONFIG": str(write_config(tmp_path)), "WATS_MODE": "live", "WATS_YES_LIVE": "1"}
    environ = environment(tmp_path, **start)
    with serving(tmp_path, "wsgi:app", command=[GUNICORN], environ=environ, ready=False) as running:
        wait_for(lambda: answers_not_ready(running))

        printed, as_json = status(running), status(running, "--json")

    assert "not ready" in printed.stderr
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["checks"]["schema"] != "ok"


def answers_not_ready(running: Running) -> bool:
    with contextlib.suppress(OSError):
        return running.ask("GET", "/readyz")[0] == 503
    return False


def test_an_absent_service_gives_one_line(tmp_path: Path) -> None:
    environ = environment(tmp_path, WATS_CONFIG=str(write_config(tmp_path)), WATS_URL="http://127.0.0.1:9")

    ended = run("status", environ=environ)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("error: no service answers at http://127.0.0.1:9")


def test_a_token_without_the_scope_operate_is_named_as_the_cause(gateway: Running) -> None:
    ended = status(gateway, TEST_SERVICE_TOKEN=gateway.environ["TEST_READER_TOKEN"])

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(
        "error: the service hides /status: the token is unknown to it or lacks the scope operate;"
        " the token is that of TEST_SERVICE_TOKEN: set it to that of the service"
    )
    assert gateway.environ["TEST_READER_TOKEN"] not in ended.stderr


def test_a_command_without_a_token_names_its_variable_and_sends_a_live_service_none(gateway: Running) -> None:
    ended = status(gateway, TEST_SERVICE_TOKEN="")
    refused = run("receipts", "list", environ=environment_of(gateway, TEST_SERVICE_TOKEN=""))
    live = status(gateway, TEST_SERVICE_TOKEN="", WATS_MODE="live")

    for printed in (ended, refused, live):
        assert printed.returncode == 78
        assert "no token for the service is given: set TEST_SERVICE_TOKEN" in printed.stderr
        assert "TEST_SERVICE_TOKEN_FILE" in printed.stderr
        assert "--env-file" in printed.stderr


@pytest.mark.parametrize("source", ["--token", "--env-file", "WATS_ENV_FILE"])
def test_the_token_may_come_from_a_flag_or_an_env_file(source: str, gateway: Running, tmp_path: Path) -> None:
    token, file = gateway.environ["TEST_SERVICE_TOKEN"], tmp_path / "secrets.env"
    file.write_text(f"TEST_SERVICE_TOKEN={token}\n")
    flags = {"--token": (source, token), "--env-file": (source, str(file))}.get(source, ())
    variables = {"WATS_ENV_FILE": str(file)} if source == "WATS_ENV_FILE" else {}

    ended = status(gateway, *flags, TEST_SERVICE_TOKEN="", **variables)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_file_with_the_token_that_was_not_read_is_named(gateway: Running, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TEST_SERVICE_TOKEN=in-a-file-0123456789\nWATS_ENV_FILE=x\n")
    environ = {**environment_of(gateway, TEST_SERVICE_TOKEN=""), "FLASK_APP": str(ROOT / "wsgi.py")}

    ended = run("status", environ=environ, folder=tmp_path)

    assert ended.returncode == 78
    assert f"{tmp_path}/.env has it, but was not read: name it with --env-file" in ended.stderr
    assert "in-a-file" not in ended.stderr
