"""A log that cannot be written costs no answer, no worker and no supervisor, and no exit code."""

import contextlib
import http.client
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import FLASK, GUNICORN, Running, environment, run, serving
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

WEBHOOKS = 30


@contextlib.contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """A pipe's two ends. It is full, and nothing reads it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    yield reading, writing
    for descriptor in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def statuses_on_one_connection(running: Running, count: int = WEBHOOKS) -> list[int]:
    """Post distinct webhooks one after the other; return the statuses of their answers."""
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_SECONDS)
    ) as connection:
        statuses = []
        for number in range(count):
            body = body_of(f"message {number}", wamid=f"wamid.{number}")
            connection.request("POST", PATH, body, signed(body))
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        return statuses


def has_split_everything(running: Running) -> bool:
    return bool(running.json("/status", bearer())["receipts"]["pending"] == 0)


def test_a_pipe_that_nobody_reads_stops_no_answer_no_worker_and_no_supervisor(tmp_path: Path) -> None:
    with full_pipe() as (reading, writing), serving(tmp_path, output=writing) as running:
        statuses = statuses_on_one_connection(running)
        wait_for(lambda: has_split_everything(running))
        [worker] = running.pids_of("wats-worker")
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: (now := running.pids_of("wats-worker")) and now != [worker])

        os.close(writing)
        with os.fdopen(reading, closefd=False) as reader:
            log = list[str]()
            reading_it = threading.Thread(target=lambda: log.extend(reader))
            reading_it.start()
            code = running.stop()
            reading_it.join(DEADLINE_SECONDS)

    assert statuses == [200] * WEBHOOKS
    assert len([line for line in log if PATH in line]) >= WEBHOOKS  # they have waited in the processes
    assert any("supervisor.child_exited" in line for line in log)
    assert code == 0


def test_a_reader_that_goes_away_breaks_no_connection_and_no_exit_code(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(pipe, os.O_WRONLY)
    with serving(tmp_path, output=writing) as running:
        os.close(writing)
        os.close(reader)

        statuses = statuses_on_one_connection(running)
        wait_for(lambda: lost_lines(running) >= WEBHOOKS)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        wait_for(lambda: b'"log.lines_lost"' in what_comes(running, reader))
        code = running.stop()
        os.close(reader)

    assert statuses == [200] * WEBHOOKS
    assert code == 0


def lost_lines(running: Running) -> int:
    metrics = running.ask("GET", "/metrics", headers=bearer())[1].decode()
    return int(
        sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("wats_log_lines_lost_"))
    )


def what_comes(running: Running, reader: int) -> bytes:
    """Read what the log has, after one more request."""
    running.ask("GET", "/healthz")
    with contextlib.suppress(BlockingIOError):
        return os.read(reader, 65536)
    return b""


def test_gunicorn_and_a_worker_alone_live_with_a_full_disk(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    environ = environment(tmp_path, WATS_CONFIG=config, WATS_MODE="live", WATS_YES_LIVE="1")
    assert run("db", "upgrade", environ=environ).returncode == 0
    full = os.open("/dev/full", os.O_WRONLY)
    worker = serving(tmp_path, "worker", command=(FLASK, "wats"), environ=environ, ready=False, output=full)
    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ, output=full) as running, worker as other:
        statuses = statuses_on_one_connection(running)
        web_processes = running.pids()[1:]
        running.process.send_signal(signal.SIGHUP)
        wait_for(lambda: has_new_processes(running, web_processes))
        wait_for(lambda: has_split_everything(running))

        codes = [other.stop(), running.stop()]
    os.close(full)

    assert statuses == [200] * WEBHOOKS
    assert codes == [0, 0]


def has_new_processes(running: Running, old: list[int]) -> bool:
    new = running.pids()[1:]
    return bool(new) and not set(new) & set(old)


@pytest.mark.parametrize("command", [("serve",), ("worker",)])
def test_a_wrong_setting_ends_with_78_though_its_reader_is_gone(tmp_path: Path, command: tuple[str, ...]) -> None:
    environ = environment(tmp_path, WATS_CONFIG=str(tmp_path / "none.yaml"), WATS_MODE="live", WATS_YES_LIVE="1")
    reading, writing = os.pipe()
    os.close(reading)

    with serving(tmp_path, *command, command=(FLASK, "wats"), environ=environ, ready=False, output=writing) as ending:
        os.close(writing)
        code = ending.wait()

    assert code == 78
