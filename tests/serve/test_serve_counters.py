"""Counters cost no answer and no process, whatever becomes of the folder that the processes of a run share."""

import contextlib
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.mounts import ABSENT, FULL, READ_ONLY, SMALL, inside, with_mounts
from tests.support.serving import FLASK, GUNICORN, Running, environment, family, is_alive, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

FOLDERS = "wats-metrics-*"
NOT_SHARED = '"event":"metrics.not_shared"'
LIVE = ("--live", "--yes-live")


def post(running: Running, text: str) -> int:
    body = body_of(text)
    return running.ask("POST", PATH, body, signed(body))[0]


def counted(running: Running) -> int:
    """How many webhooks the process counts that answers; -1 if none does."""
    with contextlib.suppress(OSError):
        status, text = running.ask("GET", "/metrics", headers=bearer())
        assert status == 200
        lines = [line for line in text.decode().splitlines() if line.startswith("wats_webhooks_total{")]
        return int(sum(float(line.split()[1]) for line in lines))
    return -1


def web_processes(running: Running) -> list[int]:
    return running.pids_of("wats-web")[1:]


def counter_folder(pid: int) -> Path:
    """The folder that a process holds."""
    names = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(descriptor.readlink())
    [folder] = {name for name in names if name.match(FOLDERS) and " " not in name.name}
    return folder


@contextlib.contextmanager
def load(running: Running) -> Iterator[Counter[int]]:
    """Post webhooks, one after the other, while the block runs; yield how often each status came (0: no answer)."""
    statuses, stop = Counter[int](), threading.Event()

    def post_forever() -> None:
        for number in count():
            try:
                statuses[post(running, f"{threading.get_ident()} {number}")] += 1
            except OSError:
                statuses[0] += 1
            if stop.is_set():
                return

    threads = [threading.Thread(target=post_forever) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def serving_with(folder: Path, mounts: str, **more: str) -> Iterator[Running]:
    """Run `serve` where `/dev/shm` is as these mounts make it."""
    command = with_mounts(mounts, (FLASK, "wats", "serve"))
    arguments = ("--config", str(write_config(folder)), *LIVE)
    with serving(folder, *arguments, command=command, environ=environment(folder, **more)) as running:
        yield running


@pytest.mark.parametrize("mounts", [FULL, READ_ONLY, ABSENT], ids=["full", "read-only", "absent"])
def test_without_room_in_shared_memory_the_processes_share_their_counters_on_disk(
    tmp_path: Path, mounts: str
) -> None:
    with serving_with(tmp_path, mounts) as running:
        processes = web_processes(running)

        statuses = [post(running, str(number)) for number in range(20)]

        assert statuses == [200] * 20
        assert {counted(running) for _ in range(10)} == {20}
        assert web_processes(running) == processes
        folder = inside(running.process.pid, str(counter_folder(processes[0])))
        assert folder.is_dir()
        assert running.stop() == 0

    assert not Path(str(folder).partition("/root")[2]).exists()
    assert NOT_SHARED not in running.err


def test_without_any_folder_each_process_counts_for_itself_and_says_so(tmp_path: Path) -> None:
    with serving_with(tmp_path, READ_ONLY, PROMETHEUS_MULTIPROC_DIR="/dev/shm/counters") as running:
        statuses = [post(running, str(number)) for number in range(20)]

        assert statuses == [200] * 20
        assert counted(running) <= 20
        assert running.stop() == 0

    assert "/dev/shm/counters: Read-only file system" in running.err


def api_paths(folder: Path) -> list[str]:
    """A path for each route of the API: together they need more counters than one page of files holds."""
    arguments = ("serve", "--print-routes", "--json", "--config", str(write_config(folder)))
    routes = [row["route"] for row in json.loads(run(*arguments, environ=environment(folder)).stdout)]
    return [re.sub("<.*?>", "x", route) for route in routes if route.startswith("/api")]


def test_shared_memory_that_fills_up_costs_no_answer_and_no_process(tmp_path: Path) -> None:
    paths = api_paths(tmp_path)
    with serving_with(tmp_path, SMALL, WEB_CONCURRENCY="1") as running:
        [process] = web_processes(running)
        filler = inside(process, "/dev/shm/filler")
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

        statuses = {running.ask(method, path)[0] for path in paths for method in ("GET", "POST", "DELETE")}
        webhooks = [post(running, str(number)) for number in range(20)]

        assert statuses == {401}
        assert webhooks == [200] * 20
        assert counted(running) == 20
        assert web_processes(running) == [process]
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: web_processes(running) not in ([], [process]))
        wait_for(lambda: counted(running) >= 0)
        assert post(running, "after the kill") == 200
        assert running.stop() == 0

    assert running.err.count(NOT_SHARED) in (1, 2, 3)  # once by each that needs room: web processes, the worker
    assert "No space left on device" in running.err


def test_a_folder_that_is_removed_under_load_costs_no_answer(tmp_path: Path) -> None:
    with serving(tmp_path) as running, load(running) as statuses:
        wait_for(lambda: statuses[200] > 20)
        before = web_processes(running)

        shutil.rmtree(counter_folder(before[0]))
        wait_for(lambda seen=statuses[200]: statuses[200] > seen + 20)
        untouched = dict(statuses)
        wait_for(lambda: counted(running) > 0)
        os.kill(before[0], signal.SIGKILL)  # its successor finds no folder
        wait_for(lambda: len(set(web_processes(running)) - set(before)) == 1)
        wait_for(lambda seen=statuses[200]: statuses[200] > seen + 20)
        wait_for(lambda: running.err.count(NOT_SHARED) >= 2)

        assert set(untouched) == {200}
        assert set(statuses) <= {200, 0}
        assert set(before[1:]) < set(web_processes(running))
        assert counted(running) >= 0


def start_variables(folder: Path, **more: str) -> dict[str, str]:
    config = str(write_config(folder))
    environ = environment(folder, WATS_CONFIG=config, WATS_MODE="live", WATS_YES_LIVE="1", **more)
    assert run("db", "upgrade", environ=environ).returncode == 0
    return environ


def test_hup_and_usr2_under_load_cost_no_answer_and_leave_no_folder(tmp_path: Path) -> None:
    base = tmp_path / "counters"
    environ = start_variables(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(base))
    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ) as running:
        old, first = running.process.pid, set(running.pids()[1:])
        with load(running) as statuses:
            os.kill(old, signal.SIGHUP)
            wait_for(lambda: len(workers := set(running.pids()[1:])) == 2 and not workers & first)
            second = set(running.pids()[1:])
            os.kill(old, signal.SIGUSR2)
            wait_for(lambda: running.out.count("serve.listening") == 2 and len(running.pids()) == 6)
            [new] = [pid for pid in running.pids()[1:] if len(family(pid)) == 3]
            os.kill(old, signal.SIGTERM)
            assert running.wait() == 0
            wait_for(lambda seen=statuses[200]: statuses[200] > seen + 20)

        counts, folders = counted(running), list(base.glob(FOLDERS))
        os.kill(new, signal.SIGTERM)
        wait_for(lambda: not is_alive(new))

    assert set(statuses) == {200}
    assert second <= {pid for pid in second if not is_alive(pid)}
    assert counts > 20
    assert len(folders) == 1
    assert list(base.iterdir()) == []
    assert NOT_SHARED not in running.err


def test_gunicorn_and_a_worker_share_their_counters_in_the_folder_that_both_are_given(tmp_path: Path) -> None:
    base = tmp_path / "not yet" / "there"
    environ = start_variables(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(base))
    worker = (sys.executable, "-m", "app.worker")
    (tmp_path / "worker").mkdir()
    with (
        serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ) as running,
        serving(tmp_path / "worker", command=worker, environ=environ, ready=False) as working,
    ):
        (base / "of somebody else.db").touch()
        post(running, "hi")
        wait_for(lambda: 'wats_events_total{outcome="new"} 1.0' in metrics(running))
        assert len(list(base.glob(FOLDERS))) == 2
        assert working.stop() == 0
        assert running.stop() == 0

    assert [path.name for path in base.iterdir()] == ["of somebody else.db"]


def metrics(running: Running) -> str:
    return running.ask("GET", "/metrics", headers=bearer())[1].decode()


def test_a_start_removes_the_folders_of_killed_runs_and_no_others(tmp_path: Path) -> None:
    base = tmp_path / "counters"
    (base / "wats-metrics-kept").mkdir(parents=True)
    (base / "wats-metrics-kept" / "notes").touch()
    environ = environment(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(base))
    with serving(tmp_path, environ=environ) as killed:
        dead = counter_folder(web_processes(killed)[0])
        killed.kill_everything()
    assert list(dead.glob("*.db"))

    (tmp_path / "again").mkdir()
    with serving(tmp_path, environ=environ) as running, serving(tmp_path / "again", environ=environ) as beside:
        living = {counter_folder(web_processes(each)[0]) for each in (running, beside)}

        assert set(base.iterdir()) == {*living, base / "wats-metrics-kept"}
        assert dead not in living
        assert running.stop() == beside.stop() == 0

    assert [path.name for path in base.rglob("*")] == ["wats-metrics-kept", "notes"]


def test_a_process_that_dies_again_and_again_takes_no_more_room(tmp_path: Path) -> None:
    with serving(tmp_path, environ=environment(tmp_path, WEB_CONCURRENCY="1")) as running:
        post(running, "first")
        wait_for(lambda: running.pids_of("wats-worker"))
        folder = counter_folder(web_processes(running)[0])
        wait_for(lambda: len(list(folder.glob("*.lock"))) == 2)

        for number in range(3):
            [process] = web_processes(running)
            os.kill(process, signal.SIGKILL)
            wait_for(lambda process=process: len(now := web_processes(running)) == 1 and now != [process])
            wait_for(lambda: counted(running) >= 0)
            post(running, f"after kill {number}")

        assert counted(running) == 4
        assert len(list(folder.glob("*.lock"))) == 2
        assert len(list(folder.glob("*.db"))) <= 4
