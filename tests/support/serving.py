"""The gateway as a user runs it: real processes, on a free loopback port, in a folder of their own."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.startup.early_stop import command_of
from tests.support.forked import IS_FORKED, Forked, run_forked, start_serve
from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.tracing import inherited
from tests.support.waiting import DEADLINE_SECONDS, wait_for

ROOT = Path(__file__).parent.parent.parent
FLASK = str(Path(sys.executable).parent / "flask")
GUNICORN = str(Path(sys.executable).parent / "gunicorn")
Process = Forked | subprocess.Popen[bytes]
RUN = "TEST_RUN"
"""The variable by which the processes of one run of a gateway are found."""

LEFT_OVER_SECONDS = 60
"""How long what a gateway has started may live on: longer than any stop, and shorter than a test that hangs."""

WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def without_roots_rights(*command: str) -> tuple[str, ...]:
    """Return a command that runs this one, bound by the modes of files also where the tests run as root."""
    return (sys.executable, "-c", WITHOUT_ROOTS_RIGHTS, *command)


@dataclass
class Running:
    """A running gateway, with what a user can do to it."""

    process: Process
    port: int
    folder: Path
    environ: Mapping[str, str]

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own; return the status and the body of the response."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        ) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def json(self, path: str, headers: Mapping[str, str]) -> Any:
        """Return the JSON answer to a GET; ask again while the store does not answer in time (503)."""
        answers: list[tuple[int, bytes]] = []

        def is_answered() -> bool:
            answers.append(self.ask("GET", path, headers=headers))
            return answers[-1][0] != 503

        wait_for(is_answered)
        return json.loads(answers[-1][1])

    @property
    def out(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "stderr").read_text()

    def pids(self) -> list[int]:
        """Return all of its processes, parents first."""
        return family(self.process.pid)

    def pids_of(self, name: str) -> list[int]:
        """Return its processes of this name, such as `wats-web`, parents first."""
        return [pid for pid in self.pids() if process_name(pid) == name]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a stop signal; return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(DEADLINE_SECONDS)

    def kill_everything(self) -> None:
        """Kill all of its processes at once."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()
        wait_for(lambda: not any(is_alive(pid) for pid in pids))


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a live gateway with the test profile."""
    kept = inherited("PATH", "HOME")
    return {**kept, **LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(folder / "data"), **more}


def run(*arguments: str, environ: Mapping[str, str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `flask wats …` to its end."""
    return run_forked([FLASK, "wats", *arguments], environ=environ, folder=folder)


@contextlib.contextmanager
def serving(
    folder: Path,
    *arguments: str,
    command: Sequence[str] = (FLASK, "wats", "serve"),
    environ: Mapping[str, str] | None = None,
    ready: bool = True,
    output: int | None = None,
    anew: bool = False,
) -> Iterator[Running]:
    """Run a gateway while the block runs: live with the test profile unless the arguments say otherwise.

    `ready`: all of its web processes have been forked, and one of them is ready. `output`: a descriptor for its
    standard output and standard error, in the place of two files. `anew`: each program loads its code itself, as a
    user's does; otherwise it is a fork of a process that has loaded it.
    """
    port = free_port()
    variables = {"WATS_PORT": str(port), **(environ or environment(folder)), RUN: secrets.token_hex(8)}
    if not arguments and "WATS_MODE" not in variables and command[0] == FLASK:
        arguments = ("--config", str(write_config(folder)), "--live", "--yes-live")
    if "--live" in arguments and not anew:
        from tests.support.store import put_migrated_file  # here, because the databases' module needs this one

        put_migrated_file(Path(variables["WATS_DATA_DIR"]) / "wats.sqlite3")
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        start = started_anew if anew else started
        process = start([*command, *arguments], environ=variables, stdout=output or out, stderr=output or err)
    running = Running(process, int(variables["WATS_PORT"] or 0), folder, variables)
    try:
        if ready:
            wait_until_ready(running)
            processes = 1 + _web_processes(arguments, variables)  # with their master
            wait_for(lambda: len(running.pids_of("wats-web")) == processes)
        yield running
    finally:
        if process.poll() is None:
            running.kill_everything()
    wait_for(lambda: left_over(variables[RUN]) == [], seconds=LEFT_OVER_SECONDS)


def started(
    command: Sequence[str], *, environ: Mapping[str, str], stdout: int | IO[bytes], stderr: int | IO[bytes]
) -> Process:
    """Start a command; `flask wats serve` as a fork of a process that has loaded it."""
    if command[0] == FLASK and command_of(command) == "serve":
        return start_serve(command, environ=environ, stdout=stdout, stderr=stderr)
    return started_anew(command, environ=environ, stdout=stdout, stderr=stderr)


def started_anew(
    command: Sequence[str], *, environ: Mapping[str, str], stdout: int | IO[bytes], stderr: int | IO[bytes]
) -> Process:
    """Start a command as a user's shell does."""
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)


def _web_processes(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    if "--workers" in arguments:
        return int(arguments[arguments.index("--workers") + 1])
    return int(variables.get("WEB_CONCURRENCY", 2))


def wait_until_ready(running: Running) -> None:
    """Wait for a 200 of `/readyz`."""

    def is_ready() -> bool:
        assert running.process.poll() is None, running.err
        with contextlib.suppress(OSError, http.client.HTTPException):
            return running.ask("GET", "/readyz")[0] == 200
        return False

    wait_for(is_ready)


def free_port() -> int:
    """Return a port that no other process is given while this one lives: it stays bound here, and listens nowhere.

    A server may listen there because both sockets have SO_REUSEADDR; until it does, connections are refused.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()
    return port


def family(pid: int) -> list[int]:
    """Return a process and its descendants, parents first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(pid for child in children for pid in family(int(child)))]


def left_over(run: str) -> list[int]:
    """Return the processes that this run has started and that are still there, wherever their parents have gone."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if f"{RUN}={run}".encode() in variables_of(pid)]


def variables_of(pid: int) -> list[bytes]:
    """Return the environment that a living process was started with, also of a fork and of what that has forked."""
    with contextlib.suppress(OSError):
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if is_alive(pid) else []
        if f"{IS_FORKED}=1".encode() in variables:
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                if str(descriptor.readlink()).startswith("/memfd:environ"):
                    return descriptor.read_bytes().split(b"\0")
        return variables
    return []


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def process_name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False
