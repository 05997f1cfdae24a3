"""compose.yaml, run: both shapes, a replica killed and another one stopped under load, and nothing lost.

PostgreSQL's and nginx's images are needed in the engine's store; POSTGRES_IMAGE and NGINX_IMAGE name others.
"""

import contextlib
import http.client
import os
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.engine import CALL_SECONDS, ENGINE, LIVE, Image, ended, engine, patiently
from tests.support.serving import ROOT, free_port
from tests.support.webhooks import PATH, body_of, signed

UP_SECONDS = 500
SENDERS = 3
IMAGES = {"POSTGRES_IMAGE": "postgres:17-bookworm", "NGINX_IMAGE": "nginx:stable"}


def is_here(variable: str) -> bool:
    return ended("image", "inspect", os.environ.get(variable, IMAGES[variable])).code == 0


needs_compose = pytest.mark.skipif(ended("compose", "version").code != 0, reason="this engine has no Compose")


@dataclass
class Project:
    """A project of Compose with its own name, port and volumes."""

    name: str
    port: int
    environ: dict[str, str]

    def compose(self, *words: str) -> str:
        command = [ENGINE, "compose", "--profile", "scaled", "--project-name", self.name, *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=UP_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self, *services: str) -> None:
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), *services)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> int:
        """Return the status of an answer; 0 if there is none."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_SECONDS)
            with contextlib.closing(connection):
                connection.request(method, path, body, headers or {})
                return connection.getresponse().status
        return 0

    def post(self, wamid: str) -> int:
        body = body_of(wamid=wamid)
        return self.ask("POST", PATH, body, signed(body, LIVE["WATS_APP_SECRET"]))

    def counted(self, service: str) -> dict[str, int]:
        """Return what a gateway counts: receipts by state, and all events."""
        script = (
            "import json, os, urllib.request as u; r = u.Request('http://127.0.0.1:3000/status', "
            "headers={'Authorization': 'Bearer ' + os.environ['WATS_SERVICE_TOKEN']}); s = json.load(u.urlopen(r)); "
            "print(s['receipts']['total'], s['receipts']['pending'], s['events']['total'])"
        )
        total, pending, events = self.compose("exec", "-T", service, "python", "-c", script).split()
        return {"receipts": int(total), "pending": int(pending), "events": int(events)}

    def exit_codes(self) -> set[str]:
        """Stop every container; return their exit codes."""
        self.compose("stop")
        names = ended("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").output
        return {engine("inspect", "--format", "{{.State.ExitCode}}", name).strip() for name in names.split()}


@pytest.fixture
def project(image: Image, tmp_path: Path) -> Iterator[Project]:
    values = {**LIVE, "WATS_WABA_ID": "1234567890", "WATS_PHONE_NUMBER_ID": "9876543210"}
    port = free_port()
    settings = {
        "WATS_IMAGE": image.name,
        "WATS_PUBLISHED_PORT": str(port),
        "WATS_POSTGRES_PASSWORD": uuid.uuid4().hex,
    }
    project = Project(f"wats-test-{uuid.uuid4().hex[:8]}", port, {**os.environ, **values, **settings})
    yield project
    project.compose("down", "--volumes", "--timeout", "1")


@needs_compose
def test_the_single_shape_takes_webhooks_and_keeps_them_over_a_stop(project: Project) -> None:
    project.up("wats")
    accepted = [project.post(f"wamid.{number}") for number in range(5)]
    patiently(lambda: project.counted("wats")["events"] == 5)

    assert accepted == [200] * 5
    assert project.exit_codes() == {"0"}
    project.up("wats")
    assert project.counted("wats") == {"receipts": 5, "pending": 0, "events": 5}


@needs_compose
@pytest.mark.skipif(not all(map(is_here, IMAGES)), reason="the images of PostgreSQL and nginx are not here")
def test_the_scaled_shape_loses_nothing_while_replicas_die_and_stop(project: Project) -> None:
    project.up("proxy", "worker")
    hidden = [project.ask("GET", path) for path in ("/status", "/metrics", "/debug/diagnostics")]
    statuses: Counter[int] = Counter()
    enough = threading.Event()

    def send(sender: int) -> None:
        number = 0
        while not enough.wait(0.05):
            statuses[project.post(f"wamid.{sender}.{number}")] += 1
            number += 1

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(SENDERS)]
    for sender in senders:
        sender.start()
    patiently(lambda: statuses[200] > 20)
    engine("kill", f"{project.name}-web-1")
    patiently(lambda: statuses[200] > 60)
    project.up("proxy", "worker")
    engine("stop", "--time", "30", f"{project.name}-web-2")
    killed = statuses[200]
    patiently(lambda: statuses[200] > killed + 40)
    enough.set()
    for sender in senders:
        sender.join()
    patiently(lambda: project.counted("web")["pending"] == 0)

    assert hidden == [404] * 3
    assert statuses.keys() == {200}
    assert project.counted("web") == {"receipts": statuses[200], "pending": 0, "events": statuses[200]}
    assert project.exit_codes() == {"0"}
