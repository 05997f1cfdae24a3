"""The hardened image in live mode: under load in 256 MB, with a destination, and stopped with a request in flight."""

import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.image.engine import HARDENED, LIVE, MARK, SERVED, Container, Image, container, ended, engine, patiently
from tests.image.receiver import SECRET, config_with_destination, receiving
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import PATH, body_of, signed

LIMIT_MEGABYTES = 256
LIMITED = ("--memory", f"{LIMIT_MEGABYTES}m", "--memory-swap", f"{LIMIT_MEGABYTES}m", "--pids-limit", "128")
WEBHOOKS, SENDERS = 2000, 8
PROD = {
    **LIVE,
    **SECRET,
    "WATS_PROFILE": "prod",
    "WATS_WABA_ID": "1234567890",
    "WATS_PHONE_NUMBER_ID": "9876543210",
    "WATS_DATABASE_URL": "sqlite:////var/lib/wats/wats.sqlite3",
}
TAKEN = "cat /sys/fs/cgroup/memory/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory.stat"
NEITHER_CACHE_NOR_FILES = ("total_rss", "total_shmem", "anon", "shmem")
"""What of a container's memory cannot be given back: the first two in cgroup v1, the others in v2."""


@pytest.fixture
def network() -> Iterator[str]:
    name = f"wats-test-{uuid.uuid4().hex[:12]}"
    engine("network", "create", name)
    yield name
    ended("network", "rm", name)


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"wats-test-{uuid.uuid4().hex[:12]}"
    engine("volume", "create", name)
    yield name
    ended("volume", "rm", "--force", name)


def megabytes_of(running: Container) -> float:
    """Return what its processes hold, and their files in memory; page cache does not count."""
    lines = dict(line.split() for line in running.call("sh", "-c", TAKEN).output.splitlines())
    version = NEITHER_CACHE_NOR_FILES[:2] if "total_rss" in lines else NEITHER_CACHE_NOR_FILES[2:]
    return sum(int(lines[name]) for name in version) / 2**20


def test_it_takes_a_load_in_256_megabytes_and_delivers_all_of_it(
    image: Image, network: str, volume: str, tmp_path: Path, facts: list[str]
) -> None:
    config = f"{config_with_destination(tmp_path)}:/app/config/wats.config.yaml:ro"
    mounted = ("--volume", f"{volume}:/var/lib/wats", "--volume", config, "--network", network)
    bodies = [body_of(wamid=f"wamid.{number}") for number in range(WEBHOOKS)]
    taken: list[float] = []
    enough = threading.Event()

    def post(body: bytes) -> int:
        return running.ask(PATH, "POST", body, signed(body, LIVE["WATS_APP_SECRET"]))[0]

    def watch() -> None:
        while not enough.wait(0.5):
            taken.append(megabytes_of(running))

    with (
        receiving(image, network) as receiver,
        container(image, options=(*HARDENED, *SERVED, *LIMITED, *mounted), environ=PROD) as running,
        ThreadPoolExecutor(SENDERS + 1) as threads,
    ):
        idle = megabytes_of(running)
        watching = threads.submit(watch)
        statuses = Counter(threads.map(post, bodies))
        patiently(lambda: len(set(receiver.ids())) == WEBHOOKS)
        enough.set()
        watching.result()
        state, logs = running.inspect()["State"], running.logs()

        assert statuses == {200: WEBHOOKS}
        assert (state["Running"], state["OOMKilled"]) == (True, False)
        assert "child_exited" not in logs
        assert MARK not in logs
        assert running.stop() == 0, running.logs()

    facts.append(
        f"memory: {idle:.0f} MB when ready, at most {max(taken):.0f} MB under load, of {LIMIT_MEGABYTES} MB"
        f" (live, SQLite, {WEBHOOKS} webhooks by {SENDERS} clients, all delivered)"
    )


def test_a_stop_waits_for_the_request_in_flight(image: Image) -> None:
    body = body_of("slow")
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(body, LIVE["WATS_APP_SECRET"]).items())
    with (
        container(image, environ=LIVE, options=(*HARDENED, *SERVED, "--tmpfs", "/var/lib/wats:uid=10001")) as running,
        ThreadPoolExecutor(1) as thread,
        socket.create_connection(("127.0.0.1", running.port), DEADLINE_SECONDS) as slow,
    ):
        slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode())
        slow.sendall(body[:10])
        patiently(running.is_ready)
        stopping = thread.submit(running.stop)
        patiently(lambda: "Handling signal: term" in running.logs())

        slow.sendall(body[10:])
        answer = slow.recv(65536)

        assert answer.startswith(b"HTTP/1.1 200 ")
        assert stopping.result() == 0
