"""Programs of ours that tests run, each a fork of a process that has loaded it: `fork_server.py`."""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from typing import IO, Any

from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parent.parent.parent
SERVER = Path(__file__).parent / "fork_server.py"
FLASK_COMMAND = "tests.support.commands:flask"
FLASK_SERVE, LAUNCHER = "tests.support.commands:flask_serve", "tests.support.launching:main"
IS_FORKED = "TEST_IS_FORKED"
"""The variable that `/proc/PID/environ` shows of a fork: it is the environment of the server."""


class Forked:
    """A process that runs the function `module:name`, with what a `Popen` has. It is no child of the test process."""

    def __init__(
        self,
        run: str,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        folder: Path = ROOT,
        stdin: IO[Any] | None = None,
        stdout: int | IO[Any] = 1,
        stderr: int | IO[Any] = 2,
        patched: bool = False,
    ) -> None:
        self.args = argv
        self.returncode: int | None = None
        self._reports, report = os.pipe()
        self._polling = threading.Lock()
        program = {"run": run, "argv": argv, "environ": dict(environ), "folder": str(folder)}
        numbers = [each if isinstance(each, int) else each.fileno() for each in (stdin or _nothing(), stdout, stderr)]
        socket.send_fds(_server(patched), [json.dumps(program).encode()], [*numbers, report])
        os.close(report)
        self.pid = self._reported()

    def poll(self) -> int | None:
        """Return the code that it has ended with, if it has."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the code that it ends with."""
        if (code := self._ended_within(timeout)) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, seconds: float | None) -> int | None:
        with self._polling:
            if self.returncode is None and select([self._reports], [], [], seconds)[0]:
                self.returncode = self._reported()
                os.close(self._reports)
            return self.returncode

    def _reported(self) -> int:
        number = b""
        while not number.endswith(b"\n"):
            byte = os.read(self._reports, 1)
            assert byte, "the fork server has ended: its errors stand above"
            number += byte
        return int(number)


def run_forked(argv: list[str], *, environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `flask` with these arguments to its end, as `subprocess.run` does."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        process = Forked(FLASK_COMMAND, argv, environ=environ, folder=folder, stdout=out, stderr=err)
        try:
            code = process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, code, out.read(), err.read())


def start_serve(
    argv: Sequence[str], *, environ: Mapping[str, str], stdout: int | IO[Any], stderr: int | IO[Any]
) -> Forked:
    """Run `flask wats serve …`. The launcher that it becomes is a fork too, not a program started by `exec`."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as becomes:
        command = Forked(FLASK_SERVE, argv, environ=environ, stdin=becomes, stdout=stdout, stderr=stderr)
        command.wait(DEADLINE_SECONDS)
        becomes.seek(0)
        text = becomes.read()
    if not text:
        return command
    program = json.loads(text)
    argv, folder = program["argv"][2:], Path(program["folder"])
    return Forked(
        LAUNCHER, argv, environ=program["environ"], folder=folder, stdout=stdout, stderr=stderr, patched=True
    )


@functools.cache
def _nothing() -> int:
    return os.open(os.devnull, os.O_RDONLY)


@functools.cache
def _server(patched: bool) -> socket.socket:
    """Return the socket of a server, with the monkey patch or without. The server ends with this test process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH, IS_FORKED: "1"}
    with its:
        server = subprocess.Popen(
            [sys.executable, SERVER, *(["patched"] if patched else [])], cwd=ROOT, env=environ, stdin=its
        )
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours
