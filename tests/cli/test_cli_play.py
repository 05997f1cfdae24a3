"""`webhook send` in front of a running dry-run."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

from app.web.examples import CHANGES
from tests.support.live import write_config
from tests.support.serving import Running, run, serving
from tests.support.waiting import wait_for

BEARER = {"Authorization": "Bearer dry-run-service-token"}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("play")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
    environ = {**kept, "WATS_DATA_DIR": str(folder / "data"), "WATS_CONFIG": str(write_config(folder))}
    with serving(folder, "--dry-run", environ=environ) as running:
        yield running


def send(running: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("webhook", "send", *arguments, environ=running.environ)


def types_of_events(running: Running, types: str = "*") -> Counter[str]:
    return Counter(event["type"] for event in running.json(f"/api/events?limit=100&types={types}", BEARER)["items"])


def test_every_example_becomes_its_event(dry_run: Running) -> None:
    done = send(dry_run, "*")

    assert done.stdout == f"done: 1 webhook with {len(CHANGES)} updates each: 1 accepted\n", done.stderr
    wait_for(lambda: types_of_events(dry_run) >= Counter(dict.fromkeys(CHANGES, 1)))


def test_webhooks_are_repeated_and_batched(dry_run: Running) -> None:
    before = types_of_events(dry_run, "message.text")["message.text"]

    done = send(dry_run, "message.text", "--count", "2", "--batch", "3", "--duplicate", "--from", "+4930123")

    assert done.stdout == "done: 2 webhooks with 3 updates each: 2 accepted, 2 duplicate\n", done.stderr
    wait_for(lambda: types_of_events(dry_run, "message.text")["message.text"] == before + 6)


def test_a_wrong_signature_is_refused(dry_run: Running) -> None:
    done = send(dry_run, "message.text", "--bad-signature")

    assert done.stdout == "done: 1 webhook with 1 update each: 1 refused\n", done.stderr


def test_a_live_service_is_only_sent_to_after_two_yeses(dry_run: Running) -> None:
    done = send(dry_run, "message.text", "--live")

    assert done.returncode == 78
    assert "live needs two yeses" in done.stderr
