"""Dry-run, as a new user starts it."""

import contextlib
import http.client
import json
import re
import shlex
from pathlib import Path
from typing import Any

from tests.support.live import write_config
from tests.support.serving import Running, environment, run, serving
from tests.support.waiting import DEADLINE_SECONDS

PLACEHOLDER = {"Authorization": "Bearer dry-run-service-token"}


def start_line(running: Running) -> dict[str, Any]:
    [line] = [line for line in running.out.splitlines() if "serve.listening" in line]
    return json.loads(line)


def send(command: str, port: int) -> tuple[int, bytes]:
    """Do what the printed curl command does."""
    words = shlex.split(command)
    headers = dict(words[index + 1].split(": ", 1) for index, word in enumerate(words) if word == "-H")
    body = words[words.index("--data-binary") + 1].encode()
    path = "/" + words[2].split("/", 3)[3]
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)) as connection:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_the_printed_command_posts_a_webhook_which_is_shown_and_kept_over_a_restart(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    arguments = ("--config", config, "--dry-run")
    with serving(tmp_path, *arguments, environ=environment(tmp_path), anew=True) as running:
        banner, told = start_line(running), running.err
        answer = send(banner["try"], running.port)
        receipts = run(
            "receipts", "list", "--config", config, "--json", environ=running.environ | {"TEST_SERVICE_TOKEN": ""}
        )
        with_placeholder = running.ask("GET", "/api/receipts", headers=PLACEHOLDER)[0]
        running.stop()
    with serving(tmp_path, *arguments, environ=environment(tmp_path), anew=True) as again:
        repeated = send(banner["try"], again.port)

    assert answer == (200, b'{"status":"accepted"}')
    assert repeated == (200, b'{"status":"duplicate"}')
    assert (banner["mode"], banner["database"]) == ("dry-run", "sqlite")
    assert banner["webhookUrl"] == f"http://127.0.0.1:{running.port}/webhooks/whatsapp"
    [receipt] = json.loads(receipts.stdout)["items"]
    assert receipt["state"] in ("pending", "split")
    assert with_placeholder == 200
    assert sorted(path.name for path in (tmp_path / "data").glob("*.sqlite3")) == ["dry-run.sqlite3"]
    assert "not use" in told
    assert "TEST_ACCESS_TOKEN" in told


def test_on_a_public_address_secrets_are_generated_and_printed_once(tmp_path: Path) -> None:
    arguments = ("--config", str(write_config(tmp_path)), "--dry-run", "--host", "0.0.0.0")
    with serving(tmp_path, *arguments, environ=environment(tmp_path), anew=True) as running:
        printed = dict(re.findall(r"(WATS_DRY_RUN_[A-Z_]+)=(\S+)", running.err))
        token = printed["WATS_DRY_RUN_SERVICE_TOKEN"]
        answer = send(start_line(running)["try"], running.port)

        assert running.ask("GET", "/api/receipts", headers=PLACEHOLDER)[0] == 401
        assert running.ask("GET", "/api/receipts", headers={"Authorization": f"Bearer {token}"})[0] == 200
        assert answer == (200, b'{"status":"accepted"}')

    assert len(printed) == 3
    assert all(running.err.count(value) == 1 and value not in running.out for value in printed.values())
