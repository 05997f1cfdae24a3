"""What a container engine does for the tests: build, run, look inside, stop."""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_for

ENGINE = os.environ.get("CONTAINER_ENGINE") or shutil.which("docker") or shutil.which("podman") or "docker"
BUILD_SECONDS, CALL_SECONDS, STOP_SECONDS, POLL_SECONDS = 600, 120, 40, 0.3
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
SERVED = ("--publish", "127.0.0.1::3000")
HEALTH_CHECK = ("python", "-I", "-S", "/app/deploy/healthcheck.py")
MARK = "planted-7f3c1e9a"
PLANTED = dict.fromkeys((".env", "config/.env.local", "app/.env", "app/web/key.pem", "deploy/x"), f"TOKEN={MARK}\n")
LIVE = {
    "WATS_MODE": "live",
    "WATS_YES_LIVE": "1",
    **{f"WATS_{name}": f"{MARK}-{name.lower()}" for name in ("ACCESS_TOKEN", "VERIFY_TOKEN", "APP_SECRET")},
    "WATS_SERVICE_TOKEN": f"{MARK}-service-token",
}


@dataclass(frozen=True)
class Image:
    """An image that was built, by its name."""

    name: str

    def inspect(self) -> Any:
        return json.loads(engine("image", "inspect", self.name))[0]


@dataclass(frozen=True)
class Ended:
    """How a container ended: its exit code, and what it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Container:
    """A running container; `port`: where the port of its gateway is published on this machine, if it is."""

    name: str
    port: int

    def logs(self) -> str:
        return engine("logs", self.name)

    def inspect(self) -> Any:
        return json.loads(engine("inspect", self.name))[0]

    def call(self, *words: str) -> Ended:
        """Run a program in it."""
        return ended("exec", self.name, *words)

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer at its published port."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_SECONDS)
        ) as connection:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("/readyz")[0] == 200
        assert self.inspect()["State"]["Running"], self.logs()
        return False

    def is_healthy(self) -> bool:
        return self.call(*HEALTH_CHECK).code == 0

    def stop(self) -> int:
        """Stop it; return its exit code."""
        engine("stop", "--time", str(STOP_SECONDS), self.name)
        return int(self.inspect()["State"]["ExitCode"])


def ended(*words: str) -> Ended:
    """Run the engine to its end; return how it ended."""
    done = subprocess.run(
        [ENGINE, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS if words[0] == "build" else CALL_SECONDS,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def engine(*words: str) -> str:
    """Run the engine; return what it printed. Fail with that if it fails."""
    result = ended(*words)
    assert result.code == 0, result.output
    return result.output


def build(context: Path) -> Image:
    """Build the image from a folder."""
    name = f"wats-test:{uuid.uuid4().hex[:12]}"
    engine("build", "--tag", name, "--build-arg", "VERSION=1.2.3", "--build-arg", "REVISION=abc123", str(context))
    return Image(name)


def run_to_end(image: Image, *words: str, options: tuple[str, ...] = (), environ: Mapping[str, str] = {}) -> Ended:
    """Run a container to its end."""
    return ended("run", "--rm", *options, *variables(environ), image.name, *words)


@contextlib.contextmanager
def container(
    image: Image,
    *words: str,
    options: tuple[str, ...] = (*HARDENED, *SERVED),
    environ: Mapping[str, str] = {},
    ready: bool = True,
) -> Iterator[Container]:
    """Run a container while the block runs: hardened, with its port published."""
    name = f"wats-test-{uuid.uuid4().hex[:12]}"
    engine("run", "--detach", "--name", name, *options, *variables(environ), image.name, *words)
    published = ended("port", name, "3000").output.partition("\n")[0].rpartition(":")[2]
    running = Container(name, int(published) if published.isdecimal() else 0)
    try:
        if ready:
            patiently(running.is_ready)
        yield running
    finally:
        ended("rm", "--force", "--volumes", name)


def patiently(condition: Callable[[], object]) -> None:
    """Wait for a condition that takes a process to look at."""
    wait_for(condition, sleep=lambda _: time.sleep(POLL_SECONDS))


def variables(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        yield from ("--env", f"{name}={value}")
