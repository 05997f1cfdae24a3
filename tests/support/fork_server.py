"""Runs `flask wats …` for the tests: a process that has loaded the commands forks itself for each of them.

Loading takes most of a command's time. What is forked is a process like any other: with arguments, an environment, a
working folder, output, signals and an exit code of its own.

    python fork_server.py SOCKET

It says `ready`. Each connection brings one command, in JSON and with two descriptors for its output; it gets the
process id, and the exit code when the process has ended.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import coverage
from flask.cli import main as flask

from app.cli import COMMANDS
from app.config.start import environment

MAX_REQUEST_BYTES = 1 << 20


def serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for each command. Return in the child only, with its command."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            report_ends(waiting)
        if listener in ready:
            connection, _ = listener.accept()
            text, output, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 2)
            if (pid := os.fork()) == 0:
                become(output)
                return dict(json.loads(text))
            waiting[pid] = connection
            connection.sendall(b"%d" % pid)
            for descriptor in output:
                os.close(descriptor)


def report_ends(waiting: dict[int, socket.socket]) -> None:
    """Send the exit code of each child that has ended to the client that waits for it."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with waiting.pop(ended[0]) as connection, contextlib.suppress(BrokenPipeError):
                connection.sendall(b"%d" % os.waitstatus_to_exitcode(ended[1]))


def become(output: list[int]) -> None:
    """Keep nothing of the server in the child: it has its own output, no input, and no signal handler."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, *output)):
        os.dup2(descriptor, number)
        os.close(descriptor)


def started_with(environ: dict[str, str]) -> Path:
    """Return a file to read instead of `/proc/self/environ`, which shows a fork what its parent was started with."""
    file = os.memfd_create("environ")
    os.write(file, b"\0".join(os.fsencode(f"{name}={value}") for name, value in environ.items()))
    return Path(f"/proc/self/fd/{file}")


def run(command: dict[str, Any]) -> None:
    """Be what `flask` is: with its arguments, environment and working folder, and with coverage where that is on."""
    os.environ.clear()
    os.environ.update(command["environ"])
    environment.STARTED_WITH = started_with(command["environ"])
    os.chdir(command["folder"])
    sys.argv = command["argv"]
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        coverage.process_startup()
    sys.exit(flask())


if __name__ == "__main__":
    for module in COMMANDS.values():
        import_module(module.partition(":")[0])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("ready", flush=True)
        command = serve(listener)
    run(command)
