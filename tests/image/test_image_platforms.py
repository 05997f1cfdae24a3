"""The image started with the very commands and variables of the files that platforms read."""

import uuid
from collections.abc import Iterator

import pytest

from tests.image.engine import HARDENED, LIVE, SERVED, Image, container, ended, engine, patiently, run_to_end
from tests.support.descriptors import Process, every_process

FILLED = {
    **LIVE,
    "PORT": "3000",
    "WATS_WABA_ID": "1234567890",
    "WATS_PHONE_NUMBER_ID": "9876543210",
    "WATS_PROFILE": "prod",
    "WATS_DATABASE_URL": "sqlite:////var/lib/wats/wats.sqlite3",
}
"""What the operator and the platform give; a SQLite file stands for PostgreSQL."""

PROCESSES = [process for process in every_process() if not process.file.endswith(".service")]
DISTINCT = {" ".join(process.command): process for process in PROCESSES}


def environ_of(process: Process) -> dict[str, str]:
    return {**{name: value for name, value in process.environ.items() if "${" not in value}, **FILLED}


@pytest.fixture(scope="module")
def upgraded(image: Image) -> Iterator[str]:
    """A volume on which the release command has run."""
    volume = f"wats-test-{uuid.uuid4().hex[:12]}"
    engine("volume", "create", volume)
    options = (*HARDENED, "--volume", f"{volume}:/var/lib/wats")
    release = run_to_end(image, "wats", "db", "upgrade", options=options, environ=FILLED)
    assert release.code == 0, release.output
    yield volume
    ended("volume", "rm", "--force", volume)


def test_every_file_upgrades_with_the_command_that_the_volume_was_upgraded_with() -> None:
    assert {command for command in DISTINCT if "upgrade" in command} == {"wats db upgrade"}


@pytest.mark.parametrize("command", sorted(command for command in DISTINCT if "upgrade" not in command))
def test_a_start_command_serves_or_works_and_stops_in_order(image: Image, upgraded: str, command: str) -> None:
    process = DISTINCT[command]
    options = (*HARDENED, *SERVED, "--volume", f"{upgraded}:/var/lib/wats")

    with container(image, *process.command, options=options, environ=environ_of(process), ready=False) as running:
        patiently(running.is_healthy)

        assert running.is_ready() or "worker" in process.command
        assert running.stop() == 0, running.logs()
