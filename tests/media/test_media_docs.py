"""The commands and the sample of docs/media.md work as a reader types them, in a dry-run; so does a whole file."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import ROOT, Running, environment, free_port, serving
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS, wait_for

PAGE = (ROOT / "docs" / "media.md").read_text()
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
[SAMPLE] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TOKEN = {"Authorization": "Bearer dry-run-service-token"}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dry-run")
    example = (ROOT / "config" / "wats.config.yaml").read_text()
    with_media = example.replace("  # For production", "    media: { fetchOnArrival: true }\n\n  # For production", 1)
    config = write_config(folder, with_media)
    environ = environment(folder, WATS_CONFIG=str(config), WATS_PORT=str(free_port()))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    (folder / "offer.pdf").write_bytes(b"%PDF-1.4\n" * 20_000)
    with serving(folder, "--dry-run", "--workers", "1", environ={**environ, "PATH": path}) as running:
        yield running


def run(dry_run: Running, *command: str, **more: str) -> str:
    done = subprocess.run(
        command,
        cwd=dry_run.folder,
        env={**dry_run.environ, "FLASK_APP": str(ROOT / "wsgi.py"), "PYTHONPATH": PYTHONPATH, **more},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_page_works_in_a_dry_run(dry_run: Running) -> None:
    assert len(COMMANDS) == 5

    printed = [run(dry_run, *shlex.split(command.replace(":3000", f":{dry_run.port}"))) for command in COMMANDS]

    assert "application/pdf" in printed[0]
    assert json.loads(printed[1])["size"] == 180_000
    assert json.loads(printed[2])["status"] == "queued"
    assert (dry_run.folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_what_a_simulated_customer_sends_is_kept(dry_run: Running) -> None:
    run(dry_run, "flask", "wats", "simulate", "document", "An offer")

    wait_for(lambda: "stored" in run(dry_run, "flask", "wats", "media", "list", "--state", "stored"))
    listed = json.loads(run(dry_run, "flask", "wats", "media", "list", "--json"))["items"]
    assert [(file["id"], file["mimeType"]) for file in listed] == [("999000000000004", "application/pdf")]
    [kept] = (dry_run.folder / "data" / "dry-run-media").glob("wats-*/04/999000000000004")
    assert kept.read_bytes() == b"%PDF-1.4\n"


def test_the_sample_prints_the_id_of_an_upload_that_can_be_downloaded(dry_run: Running) -> None:
    printed = run(dry_run, sys.executable, "-c", SAMPLE.replace(":3000", f":{dry_run.port}"))

    status, content = dry_run.ask("GET", f"/api/media/{printed.strip()}/content", headers=TOKEN)
    assert (status, content) == (200, b"%PDF-1.4\n" * 20_000)
