"""The launcher without what comes before and after its forks: loaded once, it starts the gateway many times.

`forking.py`: for a line on standard input it forks a master and a worker, and prints `started` after the worker's
first beat; for the next one it ends them and prints the worker's exit code.
"""

import os
import signal
import sys

from app import launcher
from app.config import load_settings
from app.config.start_options import SUPERVISED
from app.gevent_patch import native
from app.startup.beats import name_pipe
from app.supervisor.child import Child

Roles = dict[str, launcher.Run]


def started(roles: Roles) -> list[Child]:
    children: list[Child] = []
    for name, run in roles.items():
        children.append(Child(name, []))
        if (pipe := children[-1].fork(now=0.0)) is not None:
            for each in children:
                each.close()
            os.environ[SUPERVISED.variable] = name_pipe(pipe)
            launcher._leave(run())
    return children


def wait_for_beat(child: Child) -> None:
    poll = native("select", "poll")()
    assert child.beats is not None
    poll.register(child.beats)
    poll.poll()


def ended(children: list[Child]) -> int:
    master, worker = (child.pid or 0 for child in children)
    os.killpg(master, signal.SIGKILL)
    os.kill(worker, signal.SIGTERM)
    os.waitpid(master, 0)
    _, status = os.waitpid(worker, 0)
    for child in children:
        child.close()
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    roles = launcher._load_roles(load_settings())
    while sys.stdin.readline():
        children = started(roles)
        wait_for_beat(children[1])
        print("started", flush=True)
        sys.stdin.readline()
        print(ended(children), flush=True)


if __name__ == "__main__":
    main()
