"""The image as an operator runs it: hardened, with every kind of command, in every role, on every kind of volume."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.image.engine import (
    HARDENED,
    HEALTH_CHECK,
    LIVE,
    MARK,
    SERVED,
    Image,
    container,
    ended,
    engine,
    patiently,
    run_to_end,
)

BUDGET_CPU_SECONDS = 2.5
CLOCK_TICKS = 100
PROCESSOR_TIME = """
import pathlib
print(sum(
    sum(map(int, stat.read_text().rpartition(")")[2].split()[11:15]))
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat")
))
"""
STOPPED = [("wats", "serve"), ("gunicorn", "wsgi:app"), ("wats", "worker")]
MOMENTS = (0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3)
"""Seconds after the engine says that the container runs."""

AT_ONCE = 2
CLOSED = ("touch /app/x", "touch /etc/x", "touch /usr/local/x", "touch /run/x", "touch /var/tmp/x", "touch /home/x")


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"wats-test-{uuid.uuid4().hex[:12]}"
    engine("volume", "create", name)
    yield name
    ended("volume", "rm", "--force", name)


def test_by_default_it_is_a_hardened_dry_run_that_is_healthy_and_stops_in_order(
    image: Image, facts: list[str]
) -> None:
    with container(image) as running:
        ticks = int(running.call("python", "-I", "-S", "-c", PROCESSOR_TIME).output)
        facts.append(f"start: {ticks / CLOCK_TICKS:.1f} CPU seconds until ready (budget {BUDGET_CPU_SECONDS})")
        status = running.call("cat", "/proc/1/status").output

        patiently(running.is_healthy)
        assert '"mode": "dry-run"' in running.logs()
        assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
        assert {*re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\t(\w+)$", status, re.MULTILINE)} == {"0" * 16}
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        assert [command for command in CLOSED if running.call("sh", "-c", command).code == 0] == []
        assert running.stop() == 0, running.logs()


def test_the_environment_makes_it_live_and_nothing_shows_a_secret(image: Image, volume: str) -> None:
    without_secrets = run_to_end(image, environ={"WATS_MODE": "live", "WATS_YES_LIVE": "1"})
    with container(image, options=(*HARDENED, *SERVED, "-v", f"{volume}:/var/lib/wats"), environ=LIVE) as running:
        logs = running.logs()
        images_secrets = json.dumps(image.inspect())

    assert without_secrets.code == 78, without_secrets.output
    assert '"mode": "live"' in logs
    assert MARK not in logs + images_secrets


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("wats", "serve", "--help"), "Usage: wats serve"),
        (("serve", "--help"), "Usage: wats serve"),
        (("flask", "wats", "serve", "--help"), "Usage: flask wats serve"),
        (("db", "status"), "schema none"),
        (("wats", "db", "upgrade"), "schema 0"),
        (("gunicorn", "--version"), "gunicorn (version"),
        (("python", "-c", "import app, gunicorn; print('imported')"), "imported"),
        (("sh", "-c", "wats --help"), "Usage: wats"),
        (("sh", "-lc", "exec worker --help"), "Usage: wats worker"),
    ],
)
def test_a_command_works_as_arguments_and_in_the_place_of_the_entry_point(
    image: Image, words: tuple[str, ...], printed: str
) -> None:
    replaced = ("--entrypoint", words[0])

    assert printed in run_to_end(image, *words).output
    assert printed in run_to_end(image, *words[1:], options=replaced).output


@pytest.mark.parametrize("command", STOPPED, ids=" ".join)
def test_a_stop_at_any_moment_of_a_start_is_not_lost(image: Image, command: tuple[str, ...]) -> None:
    def stopped_after(seconds: float) -> tuple[float, int]:
        with container(image, *command, options=HARDENED, ready=False) as running:
            time.sleep(seconds)
            return seconds, running.stop()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        codes = dict(threads.map(stopped_after, MOMENTS))

    assert codes == dict.fromkeys(MOMENTS, 0)


def test_gunicorn_by_itself_serves_and_is_healthy(image: Image) -> None:
    command = "wats db upgrade && exec gunicorn wsgi:app --bind 0.0.0.0:3000"
    with container(image, "sh", "-c", command) as running:
        patiently(running.is_healthy)
        assert running.stop() == 0, running.logs()


def test_the_health_check_knows_the_port_and_a_database_that_does_not_answer(image: Image) -> None:
    lock = (
        "import sqlite3, time\nc = sqlite3.connect('/var/lib/wats/dry-run.sqlite3')\nc.execute('BEGIN EXCLUSIVE')\n"
    )
    tmpfs = ("--tmpfs", "/var/lib/wats:uid=10001,mode=0700")
    with container(image, "serve", "--port", "8080", options=(*HARDENED, *tmpfs), ready=False) as running:
        patiently(running.is_healthy)

        locking = ("exec", "--detach", running.name, "python", "-c", f"{lock}time.sleep(20)")
        engine(*locking)
        patiently(lambda: not running.is_healthy())
        checked = running.call(*HEALTH_CHECK).output

        patiently(running.is_healthy)

    assert "web: healthy" not in checked
    assert "8080" in checked


def test_a_worker_alone_is_healthy(image: Image, volume: str) -> None:
    mounted = (*HARDENED, "-v", f"{volume}:/var/lib/wats")
    assert run_to_end(image, "db", "upgrade", options=mounted).code == 0

    with container(image, "worker", options=mounted, ready=False) as running:
        patiently(running.is_healthy)
        assert running.stop() == 0, running.logs()
        assert not running.inspect()["State"]["Running"]


@pytest.mark.parametrize("closed", ["uid=0,gid=0,mode=0755", "uid=777,gid=777,mode=0750", "ro"])
def test_a_data_folder_that_cannot_be_written_is_reported_with_its_cure(image: Image, closed: str) -> None:
    options = (*HARDENED, *SERVED, "--tmpfs", f"/var/lib/wats:{closed}")

    live = run_to_end(image, options=options, environ=LIVE)
    with container(image, options=options) as dry_run:
        logs = dry_run.logs()

    assert live.code == 78
    assert "/var/lib/wats" in live.output
    assert "read-only" in live.output if closed == "ro" else "10001:10001" in live.output
    assert "dry-run keeps its data in /tmp/wats" in logs


def test_any_user_of_group_0_may_keep_data(image: Image, volume: str) -> None:
    options = (*HARDENED, *SERVED, "--user", "123456:0", "-v", f"{volume}:/var/lib/wats")

    with container(image, options=options) as running:
        kept = running.call("ls", "/var/lib/wats").output

    assert "dry-run.sqlite3" in kept


@pytest.mark.parametrize("memory", [("--shm-size", "1m"), ("--ipc", "none")], ids=["1 MB", "none"])
def test_it_serves_with_little_shared_memory_or_none(image: Image, memory: tuple[str, ...]) -> None:
    with container(image, options=(*HARDENED, *SERVED, *memory)) as running:
        patiently(running.is_healthy)
        assert running.stop() == 0, running.logs()
