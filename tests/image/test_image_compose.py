"""compose.yaml, run as docs/deploy/compose.md says: both shapes, from the door to a destination, and nothing lost.

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
import yaml

from tests.house.test_house_deploy import COMPOSE_SHAPE
from tests.image.engine import CALL_SECONDS, ENGINE, LIVE, Image, ended, engine, patiently
from tests.image.receiver import SECRET, Receiver, config_with_destination, receiving
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
    """A project of Compose with its own name, port and volumes. `file`: a copy of compose.yaml, edited."""

    name: str
    port: int
    environ: dict[str, str]
    file: Path
    folder: Path = ROOT

    def compose(self, *words: str) -> str:
        placed = ["--project-directory", str(self.folder), "--file", str(self.file), "--project-name", self.name]
        done = subprocess.run(
            [ENGINE, "compose", "--profile", "scaled", *placed, *words],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
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

    def stored(self, service: str) -> dict[str, int]:
        """Return how many receipts are pending, and how many events of Meta's are stored.

        The totals in /status are upper bounds: a process that died in a transaction leaves numbers that no row has.
        """
        script = (
            "import json, os, urllib.request as u; "
            "by = {'Authorization': 'Bearer ' + os.environ['WATS_SERVICE_TOKEN']}; "
            "get = lambda path: json.load(u.urlopen(u.Request('http://127.0.0.1:3000' + path, headers=by))); "
            "page = lambda at: get('/api/events?types=message.*&limit=100' + (at and '&cursor=' + at)); "
            "last = page(''); events = 0\n"
            "while last['items']: events += len(last['items']); last = page(last['nextCursor'])\n"
            "print(get('/status')['receipts']['pending'], events)"
        )
        pending, events = self.compose("exec", "-T", service, "python", "-c", script).split()
        return {"pending": int(pending), "events": int(events)}

    def exit_codes(self) -> set[str]:
        """Stop every container; return their exit codes."""
        self.compose("stop")
        names = ended("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").output
        return {engine("inspect", "--format", "{{.State.ExitCode}}", name).strip() for name in names.split()}


@pytest.fixture
def project(image: Image, tmp_path: Path) -> Iterator[Project]:
    """compose.yaml with the secret of the config's destination, as its comment says."""
    port = free_port()
    settings = {
        "WATS_WABA_ID": "1234567890",
        "WATS_PHONE_NUMBER_ID": "9876543210",
        "WATS_IMAGE": image.name,
        "WATS_CONFIG_FILE": str(config_with_destination(tmp_path)),
        "WATS_PUBLISHED_PORT": str(port),
        "WATS_POSTGRES_PASSWORD": uuid.uuid4().hex,
    }
    file = tmp_path / "compose.yaml"
    file.write_text((ROOT / "compose.yaml").read_text().replace("  # WATS_CRM_SECRET:", "  WATS_CRM_SECRET:"))
    name = f"wats-test-{uuid.uuid4().hex[:8]}"
    project = Project(name, port, {**os.environ, **LIVE, **SECRET, **settings}, file)
    yield project
    project.compose("down", "--volumes", "--timeout", "1")


@pytest.fixture
def receiver(image: Image, project: Project) -> Iterator[Receiver]:
    """The application that the config names, in the network of the project."""
    project.compose("create", "wats")
    with receiving(image, f"{project.name}_default") as receiver:
        yield receiver


@needs_compose
def test_the_single_shape_takes_webhooks_delivers_them_and_keeps_them_over_a_stop(
    project: Project, receiver: Receiver
) -> None:
    project.up("wats")
    accepted = [project.post(f"wamid.{number}") for number in range(5)]
    patiently(lambda: len(set(receiver.ids())) == 5)

    assert accepted == [200] * 5
    assert project.exit_codes() == {"0"}
    project.up("wats")
    assert project.stored("wats") == {"pending": 0, "events": 5}


@needs_compose
def test_a_secret_may_come_from_a_file(project: Project, tmp_path: Path) -> None:
    secret = tmp_path / "app-secret"
    secret.write_text(LIVE["WATS_APP_SECRET"])
    secret.chmod(0o400)
    if os.getuid() == 0:
        os.chown(secret, 10001, 10001)
    shape = yaml.safe_load(project.file.read_text())
    del shape["services"]["wats"]["environment"]["WATS_APP_SECRET"]
    shape["services"]["wats"]["environment"]["WATS_APP_SECRET_FILE"] = "/run/secrets/app-secret"
    shape["services"]["wats"]["secrets"] = ["app-secret"]
    shape["secrets"] = {"app-secret": {"file": str(secret)}}
    project.file.write_text(yaml.safe_dump({**shape, "services": {"wats": shape["services"]["wats"]}}))

    project.up("wats")

    assert project.post("wamid.1") == 200


@needs_compose
def test_the_compose_file_of_the_guide_works_with_a_mode(image: Image, tmp_path: Path) -> None:
    port = free_port()
    shape = yaml.safe_load(COMPOSE_SHAPE)
    shape["services"]["wats"]["environment"]["WATS_MODE"] = "dry-run"
    shape["services"]["wats"] |= {"image": image.name, "ports": [f"127.0.0.1:{port}:3000"]}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(shape))
    (tmp_path / "wats.config.yaml").write_text((ROOT / "config" / "wats.config.yaml").read_text())
    name = f"wats-test-{uuid.uuid4().hex[:8]}"
    guided = Project(name, port, {**os.environ, **LIVE}, tmp_path / "compose.yaml", folder=tmp_path)
    try:
        guided.up("wats")

        assert [guided.ask("GET", path) for path in ("/healthz", "/readyz", "/openapi.json")] == [200] * 3
        assert guided.exit_codes() == {"0"}
    finally:
        guided.compose("down", "--volumes", "--timeout", "1")


@needs_compose
@pytest.mark.skipif(not all(map(is_here, IMAGES)), reason="the images of PostgreSQL and nginx are not here")
def test_the_scaled_shape_loses_nothing_while_replicas_die_and_are_replaced(
    project: Project, receiver: Receiver
) -> None:
    project.up("proxy", "worker")
    hidden = [project.ask("GET", path) for path in ("/status", "/metrics", "/debug/diagnostics")]
    statuses: Counter[int] = Counter()
    enough = threading.Event()

    def send(sender: int) -> None:
        number = 0
        while not enough.wait(0.05):
            statuses[project.post(f"wamid.{sender}.{number}")] += 1
            number += 1

    def wait_for_more(webhooks: int) -> None:
        before = statuses[200]
        patiently(lambda: statuses[200] > before + webhooks)

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        wait_for_more(20)
        engine("kill", f"{project.name}-web-1", f"{project.name}-worker-1")
        wait_for_more(40)
        for service in ("web", "worker"):
            for replica in (1, 2):
                engine("stop", "--time", "30", f"{project.name}-{service}-{replica}")
                wait_for_more(20)
                project.up("proxy", "worker")
    finally:
        enough.set()
        for sender in senders:
            sender.join()
    patiently(lambda: len(set(receiver.ids())) >= statuses[200])

    assert hidden == [404] * 3
    assert statuses.keys() == {200}
    assert len(set(receiver.ids())) == statuses[200]
    assert project.stored("web") == {"pending": 0, "events": statuses[200]}
    assert project.exit_codes() == {"0"}
