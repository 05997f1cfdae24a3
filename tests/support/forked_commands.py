"""The commands that tests run, each a fork of a process that has loaded them: `fork_server.py`."""

import atexit
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS

SERVER = Path(__file__).parent / "fork_server.py"


def run_forked(argv: list[str], *, environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `flask` with these arguments to its end, as `subprocess.run` does."""
    command = json.dumps({"argv": argv, "environ": dict(environ), "folder": str(folder)})
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
    ):
        connection.connect(_server())
        socket.send_fds(connection, [command.encode()], [out.fileno(), err.fileno()])
        code = _exit_code(connection, argv)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, code, out.read(), err.read())


def _exit_code(connection: socket.socket, argv: list[str]) -> int:
    connection.settimeout(DEADLINE_SECONDS)
    pid = int(connection.recv(64))
    try:
        return int(connection.recv(64))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(argv, DEADLINE_SECONDS) from None


@functools.cache
def _server() -> str:
    """Return the address of the server of this test process. It ends with the process."""
    folder = tempfile.mkdtemp()
    address = f"{folder}/commands"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH}
    server = subprocess.Popen(
        [sys.executable, SERVER, address], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return address
