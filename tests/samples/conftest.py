"""One gateway in dry-run for the samples of all documents, and the receivers that they show."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config.secrets.dry_run import placeholder_of_destination
from tests.support.live import write_config
from tests.support.node import node_folder
from tests.support.samples import script_of, write_files
from tests.support.serving import ROOT, Running, environment, free_port, serving
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS, wait_for

CONFIG = """
version: 1
profiles:
  local:
    whatsapp: { wabaId: "1234567890", phoneNumberIds: ["9876543210", "9876543211"] }
    auth: { accessToken: { env: WATS_ACCESS_TOKEN } }
    webhook:
      verifyToken: { env: WATS_VERIFY_TOKEN }
      appSecret: { env: WATS_APP_SECRET }
    service:
      bearerToken: { env: WATS_SERVICE_TOKEN }
    destinations:
"""
DESTINATION = """\
      - {{ name: {name}, url: "http://127.0.0.1:{port}/hooks", secret: {{ env: WATS_{variable}_SECRET }} }}
"""
BOT = """\
      - name: bot
        url: "http://127.0.0.1:{port}/"
        secret: {{ env: WATS_BOT_SECRET }}
        format: meta
        types: [message.contacts]
"""
"""The destination of docs/moving.md, with a type that no other page sends."""

RECEIVERS = {
    "crm": ("flask", "--app", "receiver_flask", "run", "--port"),
    "fastapi": ("uvicorn", "receiver_fastapi:app", "--port"),
    "express": ("node", "receiver.mjs"),
}
"""Each destination of the gateway, with the command of its receiver in docs/receive.md."""


@dataclass(frozen=True)
class Reader:
    """A user that tries the samples: a running gateway, a folder with the files of the pages, their variables."""

    gateway: Running
    folder: Path
    environ: dict[str, str]

    def save(self, page: str) -> None:
        """Save the files that a page shows."""
        write_files(page, self.folder)

    def run(self, *command: str, **environ: str) -> str:
        """Run a program to its end; return what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_page(self, page: str) -> str:
        """Run all commands of a page in a shell, one after the other; return what they print."""
        return self.run("sh", "-e", "-c", self.here(script_of(page)))

    def here(self, sample: str) -> str:
        """Return a sample that speaks to this gateway, and finds the programs of this environment."""
        there = sample.replace("http://127.0.0.1:3000", f"http://127.0.0.1:{self.gateway.port}")
        return there.replace(".venv/bin/", f"{Path(sys.executable).parent}/")

    @contextlib.contextmanager
    def running(self, *command: str, folder: Path | None = None, **environ: str) -> Iterator[Path]:
        """Run a program while the block runs; yield the file of what it prints."""
        out = self.folder / f"{len(list(self.folder.glob('*.out')))}.out"
        with out.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=folder or self.folder,
                env={**self.environ, "PYTHONUNBUFFERED": "1", **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            yield out
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Receiver:
    """A receiver of docs/receive.md that runs, with its secret and the file of what it prints."""

    port: int
    secret: str
    out: Path

    def count(self, text: str) -> int:
        return self.out.read_text().count(text)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in (*RECEIVERS, "bot")}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, unmeasured: None, ports: dict[str, int]) -> Iterator[Reader]:
    """Run a dry-run with two numbers, and with a destination for each receiver."""
    folder = tmp_path_factory.mktemp("samples")
    destinations = (DESTINATION.format(name=name, variable=name.upper(), port=ports[name]) for name in RECEIVERS)
    bot = BOT.format(port=ports["bot"])
    config = write_config(folder, CONFIG + "".join(destinations) + bot)
    environ = environment(folder, WATS_CONFIG=str(config), WATS_PORT=str(free_port()))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    more = {"PATH": path, "FLASK_APP": str(ROOT / "wsgi.py"), "PYTHONPATH": PYTHONPATH}
    with serving(folder, "--dry-run", "--workers", "1", environ={**environ, **more}) as gateway:
        api = f"http://127.0.0.1:{gateway.port}/api"
        (folder / "reader").mkdir()
        yield Reader(
            gateway, folder / "reader", {**environ, **more, "WATS_API": api, "WATS_GRAPH_URL": f"{api}/graph"}
        )


@pytest.fixture(scope="module")
def receivers(reader: Reader, ports: dict[str, int]) -> Iterator[dict[str, Receiver]]:
    """Run each receiver as its page says, with an inbox of its own."""
    with contextlib.ExitStack() as stack:
        started = {}
        for name, command in RECEIVERS.items():
            inbox = reader.folder / name
            inbox.mkdir()
            folder = node_folder() if command[0] == "node" else inbox
            write_files("receive.md", folder)
            secret, port = placeholder_of_destination(name), str(ports[name])
            words = command if command[0] == "node" else (*command, port)
            environ = {"WATS_CRM_SECRET": secret, "PORT": port, "INBOX": str(inbox), "PYTHONPATH": str(folder)}
            out = stack.enter_context(reader.running(*words, folder=folder, **environ))
            started[name] = Receiver(ports[name], secret, out)
        for name in started:
            wait_for(lambda: accepts(reader, name))  # noqa: B023
        yield started


def accepts(reader: Reader, name: str) -> bool:
    """Return whether a destination accepts a test event."""
    with contextlib.suppress(AssertionError):
        return bool(reader.run("flask", "wats", "destinations", "test", name))
    return False
