"""The life of the processes: which are restarted, which end together, and a stop that leaves nothing behind."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store.engine.file_lock import FileLock
from tests.support.live import write_config
from tests.support.serving import (
    GUNICORN,
    ROOT,
    Running,
    environment,
    family,
    is_alive,
    run,
    serving,
    wait_until_ready,
)
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

MASTER, WORKER = "wats-web", "wats-worker"


def post(running: Running, body: bytes) -> int:
    return running.ask("POST", PATH, body, signed(body))[0]


def web_workers(running: Running) -> list[int]:
    return running.pids_of(MASTER)[1:]


def test_serve_runs_the_web_processes_and_one_worker(tmp_path: Path) -> None:
    with serving(tmp_path, anew=True) as running:
        assert len(running.pids_of(MASTER)) == 3
        wait_for(lambda: len(running.pids_of(WORKER)) == 1)  # it starts a moment after the web processes
        wait_for(lambda: running.json("/status", bearer())["workers"])

        code = running.stop()

    assert code == 0, running.err
    assert len([line for line in running.out.splitlines() if "serve.listening" in line]) == 1


def test_a_stop_leaves_no_process_and_no_heartbeat(tmp_path: Path) -> None:
    with serving(tmp_path, anew=True) as running:
        wait_for(lambda: running.json("/status", bearer())["workers"])
        pids = running.pids()
        running.stop()

    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    check = run("worker", "--check", "--config", str(tmp_path / "wats.config.yaml"), environ=live(running))
    assert check.returncode == 1


def live(running: Running) -> dict[str, str]:
    return {**running.environ, "WATS_MODE": "live", "WATS_YES_LIVE": "1"}


def test_a_stop_waits_for_the_request_in_flight_and_readyz_answers_503(tmp_path: Path) -> None:
    body = body_of("slow")
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
    with serving(tmp_path, anew=True) as running:
        probe = http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_SECONDS)
        probe.request("GET", "/readyz")
        probe.getresponse().read()
        with socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE_SECONDS) as slow:
            slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode())
            slow.sendall(body[:10])
            wait_for(lambda: post(running, body_of("quick")) == 200)
            running.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "Handling signal: term" in running.err)
            with contextlib.closing(probe):
                wait_for(lambda: not_ready(probe))
            slow.sendall(body[10:])
            answer = slow.recv(65536)
        code = running.wait()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert code == 0
    with serving(tmp_path) as again:
        assert body in stored_bodies(again)


def not_ready(probe: http.client.HTTPConnection) -> bool:
    """Return whether the kept connection is answered with 503, or is already closed."""
    try:
        probe.request("GET", "/readyz")
        answer = probe.getresponse()
        checks = json.loads(answer.read())["checks"]
    except (OSError, http.client.HTTPException):
        return True
    return answer.status == 503 and checks["draining"] != "ok"


def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as running, socket.create_connection(("127.0.0.1", running.port)) as held:
        held.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        pids = running.pids()
        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "Handling signal: term" in running.err)
        running.process.send_signal(signal.SIGTERM)

        code = running.wait()

    assert code == 128 + signal.SIGTERM
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_stop_while_the_upgrade_of_the_schema_waits_ends_all_that_was_started(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with FileLock(tmp_path / "data" / "wats.sqlite3").held(), serving(tmp_path, ready=False, anew=True) as running:
        wait_for(lambda: len(running.pids()) == 2)
        pids = running.pids()

        assert running.stop() == 0, running.err

        wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_killed_worker_is_started_again(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        wait_for(lambda: running.pids_of(WORKER))
        [worker] = running.pids_of(WORKER)

        os.kill(worker, signal.SIGKILL)

        wait_for(lambda: (now := running.pids_of(WORKER)) and now != [worker])
        assert post(running, body_of()) == 200
        assert running.stop() == 0

    [line] = [json.loads(line) for line in running.err.splitlines() if "supervisor.child_exited" in line]
    assert (line["level"], line["child"], line["exitCode"]) == ("warning", "worker", -signal.SIGKILL)


def test_a_killed_web_process_is_replaced_and_the_counts_stay_right(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        for number in range(20):
            assert post(running, body_of(str(number))) == 200
        before = set(web_workers(running))

        os.kill(min(before), signal.SIGKILL)

        wait_for(lambda: len(set(web_workers(running))) == 2 and set(web_workers(running)) != before)
        wait_for(lambda: counted(running) == 20)
        for number in range(20, 40):
            wait_for(lambda number=number: post(running, body_of(str(number))) == 200)
        wait_for(lambda: counted(running) == 40)


def counted(running: Running) -> int:
    with contextlib.suppress(OSError, http.client.HTTPException):
        metrics = running.ask("GET", "/metrics", headers=bearer())[1].decode()
        lines = [line for line in metrics.splitlines() if line.startswith("wats_webhooks_total{")]
        return int(sum(float(line.split()[1]) for line in lines))
    return -1


def test_serve_ends_with_gunicorns_master(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        pids = running.pids()

        os.kill(running.pids_of(MASTER)[0], signal.SIGKILL)

        assert running.wait() == 128 + signal.SIGKILL
        wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_killed_serve_takes_its_children_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        pids = running.pids()

        running.process.kill()

        wait_for(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="needs PID namespaces")
def test_as_pid_1_serve_reaps_orphans_and_stops_in_order(tmp_path: Path) -> None:
    script = f"(sleep 0.3 &) ; exec {GUNICORN.replace('gunicorn', 'flask')} wats serve --live --yes-live"
    command = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script)
    environ = environment(tmp_path, WATS_CONFIG=str(write_config(tmp_path)))
    with serving(tmp_path, command=command, environ=environ) as running:
        pid_1 = family(running.process.pid)[1]
        wait_for(lambda: "sleep" not in "".join(zombies(pid_1)))

        os.kill(pid_1, signal.SIGTERM)

        assert running.wait() == 0, running.err


def zombies(parent: int) -> list[str]:
    names = []
    for pid in family(parent)[1:]:
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            names += [stat] if stat.rsplit(")", 1)[1].split()[0] == "Z" else []
    return names


def test_gunicorn_alone_serves_and_does_not_migrate(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    environ = environment(tmp_path, WATS_CONFIG=config, WATS_MODE="live", WATS_YES_LIVE="1")
    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ, ready=False) as running:
        wait_for(lambda: "serve.listening" in running.out)
        wait_for(lambda: answers(running))
        assert running.ask("GET", "/readyz")[0] == 503
        assert post(running, body_of()) == 503

        assert run("db", "upgrade", environ=running.environ).returncode == 0

        wait_until_ready(running)
        assert post(running, body_of()) == 200
        assert running.stop() == 0


def test_a_reload_of_gunicorn_gives_its_web_processes_an_application_of_the_new_settings(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    environ = environment(tmp_path, WATS_CONFIG=str(config), WATS_MODE="live", WATS_YES_LIVE="1")
    assert run("db", "upgrade", environ=environ).returncode == 0
    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ) as running:
        assert post(running, body_of()) == 200
        config.write_text(config.read_text().replace("    webhook:", "    webhook:\n      path: /moved"))

        running.process.send_signal(signal.SIGHUP)

        wait_for(lambda: running.ask("POST", "/moved", body := body_of(), signed(body))[0] == 200)
        wait_for(lambda: post(running, body_of()) == 404)
        assert running.stop() == 0


def test_a_reload_of_gunicorn_with_a_wrong_config_keeps_the_settings_of_before(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    environ = environment(tmp_path, WATS_CONFIG=str(config), WATS_MODE="live", WATS_YES_LIVE="1")
    assert run("db", "upgrade", environ=environ).returncode == 0
    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ) as running:
        before = set(running.pids()[1:])
        config.write_text("version: 1\nprofile: {}\n")

        running.process.send_signal(signal.SIGHUP)

        wait_for(lambda: len(now := set(running.pids()[1:])) == 2 and not now & before)
        assert post(running, body_of()) == 200
        assert str(config) in running.err
        assert '"event":"reload.ignored","reason":"the settings of before stay"' in running.err
        assert running.stop() == 0


SLOW_START = """
import pathlib, runpy, time

globals().update(runpy.run_path({conf!r}))


def {hook}:
    pathlib.Path({reached!r}).touch()
    while not pathlib.Path({go_on!r}).exists():
        time.sleep(0.01)
"""


@pytest.mark.parametrize("hook", ["on_starting(server)", "post_fork(server, worker)"])
def test_a_stop_during_a_start_of_gunicorn_is_not_lost(tmp_path: Path, hook: str) -> None:
    reached, go_on, conf = tmp_path / "reached", tmp_path / "go_on", tmp_path / "slow_start.conf.py"
    paths = {"conf": str(ROOT / "gunicorn.conf.py"), "reached": str(reached), "go_on": str(go_on)}
    conf.write_text(SLOW_START.format(hook=hook, **paths))
    start = {"WATS_CONFIG": str(write_config(tmp_path)), "WATS_MODE": "live", "WATS_YES_LIVE": "1"}
    start["COVERAGE_PROCESS_CONFIG"] = ""  # coverage has a handler of its own
    environ = environment(tmp_path, WEB_CONCURRENCY="1", **start)
    command = (GUNICORN, "--config", str(conf), "wsgi:app")
    with serving(tmp_path, command=command, environ=environ, ready=False) as running:
        wait_for(reached.exists)
        web_processes = running.pids()[1:]

        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: all(has_pending(pid, signal.SIGTERM) for pid in web_processes))
        go_on.touch()

        assert running.wait() == 0, running.err


def has_pending(pid: int, number: signal.Signals) -> bool:
    """Return whether a process blocks a signal that was sent to it."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["ShdPnd"], 16) >> (number - 1) & 1)


def answers(running: Running) -> bool:
    with contextlib.suppress(OSError):
        return running.ask("GET", "/healthz")[0] == 200
    return False


def test_a_worker_alone_waits_for_the_schema(tmp_path: Path) -> None:
    environ = environment(tmp_path, WATS_CONFIG=str(write_config(tmp_path)), WATS_MODE="live", WATS_YES_LIVE="1")
    with serving(
        tmp_path, "worker", command=(sys.executable, "-m", "app.cli"), environ=environ, ready=False
    ) as worker:
        wait_for(lambda: "store.unavailable" in worker.err)
        assert run("worker", "--check", environ=environ).returncode == 1

        assert run("db", "upgrade", environ=environ).returncode == 0

        wait_for(lambda: run("worker", "--check", environ=environ).returncode == 0)
        assert worker.stop() == 0

    waits = [json.loads(line) for line in worker.err.splitlines() if "store.unavailable" in line]
    reasons = [line["reason"] for line in waits if not line.get("repeats")]
    assert len(reasons) == len(set(reasons))  # another reason, while the schema is upgraded, has a line of its own


def test_acknowledged_webhooks_survive_a_kill_of_every_process(tmp_path: Path) -> None:
    sent = [body_of(f"message {number}", wamid=f"wamid.{number}") for number in range(200)]
    with serving(tmp_path) as running:
        with ThreadPoolExecutor(8) as senders:
            statuses = list(senders.map(lambda body: post(running, body), sent))

        running.kill_everything()

    assert statuses == [200] * 200
    with serving(tmp_path) as again:
        assert sorted(stored_bodies(again)) == sorted(sent)


def stored_bodies(running: Running) -> list[bytes]:
    """Return the exact bytes of every receipt from the API."""
    bodies, cursor = [], ""
    while cursor is not None:
        page = running.json(f"/api/receipts?limit=100{cursor}", bearer())
        bodies += [
            running.ask("GET", f"/api/receipts/{receipt['id']}/body", headers=bearer())[1]
            for receipt in page["items"]
        ]
        cursor = f"&cursor={page['nextCursor']}" if page["nextCursor"] else None
    return bodies
