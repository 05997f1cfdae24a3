"""Runs our programs for the tests: a process that has loaded them forks itself for each.

Loading takes most of the time of a short program. What is forked is a process like any other: with arguments, an
environment, a working folder, input, output, signals and an exit code of its own.

    python fork_server.py [patched]

Its standard input is a socket. Each message on it brings one program, in JSON, and four descriptors: for its input,
its output, its errors, and for reports: the process id, and the exit code at the end. `patched`: gevent's monkey
patch comes first, as in the processes of a gateway. The server ends when the socket closes.
"""

import atexit
import contextlib
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from select import select  # the names below stay native where the monkey patch comes later
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket
from typing import Any, NoReturn

from tests.support.child.main_greenlets import keep_main_greenlets

MAX_REQUEST_BYTES = 1 << 20


def serve(control: socket, is_patched: bool) -> Callable[[], object]:
    """Fork for each program. Return in the child only, with the function that it runs."""
    children: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select([control, *children], [], [])
        for handle in children.keys() & ready:
            report_end(handle, *children.pop(handle))
        if control in ready:
            text, descriptors, _, _ = recv_fds(control, MAX_REQUEST_BYTES, 4)
            if not text:
                sys.exit()
            program = json.loads(text)
            run = load(program["run"], is_patched)
            if "COVERAGE_PROCESS_CONFIG" in program["environ"]:
                load_coverage()
            *standard, report = descriptors
            if (pid := os.fork()) == 0:
                control.close()
                close(report, *children, *(each for _, each in children.values()))
                become(program, standard)
                return run
            children[os.pidfd_open(pid)] = pid, report
            os.write(report, b"%d\n" % pid)
            close(*standard)


def close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def load(run: str, is_patched: bool) -> Callable[[], object]:
    """Return the function `module:name`. What its module imports is loaded here, and shared by all that is forked."""
    module, name = run.split(":")
    if module not in sys.modules:
        import_module(module)
        if is_patched:
            from gevent import get_hub

            get_hub().destroy(destroy_loop=True)  # urllib3 starts one: when imported, it looks for IPv6
        gc.freeze()
    function: Callable[[], object] = getattr(sys.modules[module], name)
    return function


def load_coverage() -> None:
    """Load what measures a fork, and what that loads."""
    import coverage  # noqa: F401
    import gevent  # noqa: F401


def report_end(handle: int, pid: int, report: int) -> None:
    """Send the exit code of a child that has ended to the client that waits for it."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(report, b"%d\n" % code)
    close(handle, report)


def become(program: dict[str, Any], descriptors: list[int]) -> None:
    """Be a process of this program's own: keep nothing of the server but what it has loaded."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # gevent's loop has set it, if there was one
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(program["environ"])
    os.chdir(program["folder"])
    sys.argv = program["argv"]
    from app.config.start import environment

    environment.STARTED_WITH = started_with(program["environ"])
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage

        let_native_threads_be_traced(coverage.process_startup())
        keep_main_greenlets()


def let_native_threads_be_traced(measured: Any) -> None:
    """Give coverage a lock of native threads. A thread of a pool that waits for a patched one may never go on."""
    from app.gevent_patch import native

    measured._collector.data_lock = native("_thread", "allocate_lock")()


def started_with(environ: dict[str, str]) -> Path:
    """Return a file to read instead of `/proc/self/environ`, which shows a fork what its parent was started with."""
    file = os.memfd_create("environ")
    os.write(file, b"\0".join(os.fsencode(f"{name}={value}") for name, value in environ.items()))
    return Path(f"/proc/self/fd/{file}")


def main(*options: str) -> NoReturn:
    if is_patched := "patched" in options:
        from app.gevent_patch import patch

        patch()
    leave_with(result_of(serve(CONTROL, is_patched)))


def result_of(run: Callable[[], object]) -> object:
    """Run the function; return its result, or what it exits with."""
    try:
        return run()
    except SystemExit as end:
        return end.code


def leave_with(result: object) -> NoReturn:
    """End as Python does, but free no object: that would copy all the memory that this process shares."""
    if not isinstance(result, int | None):
        sys.exit(result)  # type: ignore[arg-type]
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result or 0)


if __name__ == "__main__":
    CONTROL = socket(AF_UNIX, SOCK_SEQPACKET, fileno=os.dup(0))
    main(*sys.argv[1:])
