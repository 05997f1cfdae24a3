"""The launcher: `python -m app.launcher ROLE…`. `flask wats serve` becomes it once the settings are right.

It upgrades the schema, loads the code of all roles once, forks a process for each, which share that code, and becomes
the supervisor by `exec`, which frees all that it has loaded. It opens no database and starts no event loop: each
forked process needs its own.
"""
# ruff: noqa: E402

from app.startup.early_stop import end_at_sigterm

if __name__ == "__main__":
    end_at_sigterm()

from app.gevent_patch import patch

patch()

import gc

if __name__ == "__main__":
    gc.disable()  # until all is loaded: of that nothing is garbage

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from app.config import ConfigError, Settings, load_settings
from app.config.start_options import COUNTER_FOLDER, SUPERVISED
from app.log import configure_logging, flush_output, log_uncaught_errors, take_over_output
from app.startup import counter_folder
from app.startup.beats import NOTIFY_SOCKET, name_pipe
from app.startup.commands import ROOT, SUPERVISOR, WORKER
from app.startup.handover import hand_over
from app.startup.linux import end_with
from app.supervisor.child import WAITED_FOR, Child
from app.supervisor.task import ChildTask, Task, write_task

EXIT_CONFIGURATION, EXIT_INTERRUPTED = 78, 130
AGAIN = {"web": [], "worker": WORKER}
"""The command that starts a role again. The web processes' master is not: the supervisor ends with it."""

Run = Callable[[], int]


def main(*roles: str) -> int:
    """Start these roles and become the supervisor. In a forked process, return the exit code that its role ends with.

    A SIGTERM that comes before ends the process with code 0: nothing has been started yet.
    """
    take_over_output()
    signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIGURATION
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    import app.cli.opened_store  # noqa: F401 - here, so that what is forked next need not load it
    from app.store import load_driver

    load_driver(settings.storage.url)

    launcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        end_with(launcher)
        return _upgrade_schema(settings)
    return _wait_for(pid) or _start(roles, settings)


def _upgrade_schema(settings: Settings) -> int:
    """Upgrade the schema. Return 0, or print why that cannot be, and return the exit code for it.

    In a process of its own: it opens the database.
    """
    gc.enable()

    from click import ClickException

    from app.cli.start_checks import bring_schema_to_head, stoppable

    with stoppable():
        try:
            bring_schema_to_head(settings)
        except ClickException as failure:
            failure.show()
            return failure.exit_code
    return 0


def _wait_for(pid: int) -> int:
    """Wait for the process that upgrades the schema; return its exit code. A SIGTERM ends it, then this process."""
    is_stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal is_stopping
        is_stopping = True
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    end_at_sigterm()
    if is_stopping:
        os._exit(0)
    if code < 0:
        sys.stderr.write(f"error: the upgrade of the schema was ended by signal {-code}; start again\n")
    return code if code >= 0 else 1


def _start(roles: tuple[str, ...], settings: Settings) -> int:
    """Fork a process for each role, and become the supervisor. In a new process, return what its role returns."""
    run = _load_roles(settings)
    folder = counter_folder.enter(settings)
    if folder is not None:
        os.environ[COUNTER_FOLDER.variable] = str(folder.path)
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
    children: list[Child] = []
    for role in roles:
        child = Child(role, AGAIN[role], essential=role == "web")
        children.append(child)
        if (pipe := child.fork(now=0.0)) is not None:
            for each in children:
                each.close()
            os.environ[SUPERVISED.variable] = name_pipe(pipe)
            os.environ.pop(NOTIFY_SOCKET, None)  # the supervisor speaks for its children; gunicorn would too
            counter_folder.hold_for_itself()
            return run[role]()
    _become_supervisor(children, settings, folder)
    return 1  # never: the process is another program now


def _load_roles(settings: Settings) -> dict[str, Run]:
    """Load the code of all roles, hand the settings over to them, and return what runs each."""
    from app import worker
    from app.server import master

    master.load_shared_code(settings)
    hand_over(settings)
    return {"web": master.run, "worker": worker.main}


def _become_supervisor(
    children: list[Child], settings: Settings, folder: counter_folder.CounterFolder | None
) -> None:
    tasks = [
        ChildTask(child.name, list(child.command), child.essential, child.pid, child.beats)
        for child in children
        if child.pid is not None and child.beats is not None
    ]
    task = Task(
        tasks,
        folder=str(ROOT),
        pipe_variable=SUPERVISED.variable,
        grace_seconds=settings.grace_seconds,
        counters=str(folder.path) if folder else None,
        lock=folder.lock if folder else None,
    )
    command = [*SUPERVISOR, str(write_task(task))]
    flush_output()
    os.execve(command[0], command, os.environ)  # noqa: S606 - this very process becomes the supervisor


def _leave(code: int) -> NoReturn:
    """End this process without tearing its objects down: that would copy all memory that it shares."""
    flush_output()
    os._exit(code)


if __name__ == "__main__":
    _leave(main(*sys.argv[1:]))
