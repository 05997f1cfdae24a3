"""The commands and variables of render.yaml, started as Render does: on PostgreSQL, with the config we ship."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.descriptors import Process, render
from tests.support.live import LIVE_ENVIRONMENT
from tests.support.postgres import PostgresServer
from tests.support.serving import ROOT, Running, free_port, serving, wait_until_ready
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

VALUES = {
    "WATS_WABA_ID": "1234567890",
    "WATS_PHONE_NUMBER_ID": "9876543210",
    "WATS_ACCESS_TOKEN": LIVE_ENVIRONMENT["TEST_ACCESS_TOKEN"],
    "WATS_APP_SECRET": LIVE_ENVIRONMENT["TEST_APP_SECRET"],
    "WATS_VERIFY_TOKEN": LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"],
    "WATS_SERVICE_TOKEN": LIVE_ENVIRONMENT["TEST_SERVICE_TOKEN"],
}


def environment_of(process: Process, folder: Path, database_url: str, port: int) -> dict[str, str]:
    """Return what the platform gives a process; `wats` is on its PATH, as in the image."""
    asked = {name for name, value in process.environ.items() if not value}
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "wats").exists():
        (programs / "wats").symlink_to(ROOT / "deploy" / "wats")
    platform = {**VALUES, "WATS_DATABASE_URL": database_url.replace("postgresql+psycopg", "postgres")}
    assert asked == platform.keys()
    return {
        **process.environ,
        **platform,
        "PATH": f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "PORT": str(port),
        "WATS_CONFIG": str(ROOT / "config" / "wats.config.yaml"),
        "WATS_DATA_DIR": str(folder / "data"),
    }


def is_split(running: Running) -> bool:
    return [each["state"] for each in running.json("/api/receipts", bearer())["items"]] == ["split"]


def test_a_webhook_goes_through_what_a_platform_starts_and_every_process_ends_with_0(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    port, url = free_port(), postgres_server.empty_database()
    release, web, worker = render()
    environs = [environment_of(process, tmp_path, url, port) for process in (release, web, worker)]
    subprocess.run(
        release.command, cwd=ROOT, env=environs[0], check=True, capture_output=True, timeout=DEADLINE_SECONDS
    )
    (tmp_path / "worker").mkdir()

    body = body_of()
    with (
        serving(tmp_path, command=web.command, environ={**environs[1], "WATS_PORT": ""}, ready=False) as gateway,
        serving(tmp_path / "worker", command=worker.command, environ=environs[2], ready=False) as working,
    ):
        gateway.port = port
        wait_until_ready(gateway)
        accepted, _ = gateway.ask("POST", PATH, body, signed(body))
        wait_for(lambda: is_split(gateway))
        codes = [gateway.stop(), working.stop()]

    assert accepted == 200
    assert codes == [0, 0]
    assert not (tmp_path / "data").exists()
