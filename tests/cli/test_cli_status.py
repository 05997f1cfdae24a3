"""`flask wats status` against a running service: tables, JSON and the exit code."""

import json
import subprocess
from pathlib import Path

from tests.support.live import write_config
from tests.support.serving import GUNICORN, Running, environment, run, serving
from tests.support.waiting import wait_for


def status(running: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}
    return run("status", *arguments, environ=environ)


def test_a_gateway_with_a_live_worker_needs_no_attention(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        wait_for(lambda: status(running, "--json").returncode == 0)

        printed, as_json = status(running), json.loads(status(running, "--json").stdout)

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
        wait_for(lambda: "not ready" in status(running).stderr)

        ended = status(running, "--json")

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["checks"]["schema"] != "ok"


def test_an_absent_service_gives_one_line(tmp_path: Path) -> None:
    environ = environment(tmp_path, WATS_CONFIG=str(write_config(tmp_path)), WATS_URL="http://127.0.0.1:9")

    ended = run("status", environ=environ)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("error: no service answers at http://127.0.0.1:9")


def test_a_token_without_the_scope_operate_is_named_as_the_cause(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        ended = run(
            "status",
            environ={
                **running.environ,
                "WATS_CONFIG": str(running.folder / "wats.config.yaml"),
                "TEST_SERVICE_TOKEN": running.environ["TEST_READER_TOKEN"],
            },
        )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(
        "error: the service hides /status: the token is unknown to it or lacks the scope operate;"
        " the token is that of TEST_SERVICE_TOKEN: set it to that of the service"
    )
    assert running.environ["TEST_READER_TOKEN"] not in ended.stderr


def test_a_command_without_a_token_says_that_it_sent_the_placeholder_of_a_dry_run(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}

        ended = run("status", environ={**environ, "TEST_SERVICE_TOKEN": ""})
        refused = run("receipts", "list", environ={**environ, "TEST_SERVICE_TOKEN": ""})
        live = run("status", environ={**environ, "TEST_SERVICE_TOKEN": "", "WATS_MODE": "live"})

    for printed in (ended.stderr, refused.stderr):
        assert "TEST_SERVICE_TOKEN is not set, so that the placeholder of a dry-run was sent" in printed
        assert "TEST_SERVICE_TOKEN_FILE" in printed
        assert "WATS_DRY_RUN_SERVICE_TOKEN" in printed
        assert "dry-run-service-token" not in printed
    assert (live.returncode, "env files are not read" in live.stderr) == (78, True)
