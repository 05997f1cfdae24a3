"""The task that the launcher hands to the supervisor that it becomes: the running children, and how to treat them."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from app.startup.beats import NOTIFY_SOCKET, Beats, NoBeats, SystemdBeats
from app.startup.counter_folder import CounterFolder, leave, take_over
from app.supervisor.child import Child
from app.supervisor.supervisor import Supervisor


class ChildTask(NamedTuple):
    """A child that runs. `command` starts it again; `beats` is the descriptor of its pipe."""

    name: str
    command: list[str]
    essential: bool
    pid: int
    beats: int


class Task(NamedTuple):
    """The supervisor's task. `folder`: where commands run. `pipe_variable`: by which a child finds its pipe.

    `counters` and `lock`: the folder of the counters.
    """

    children: list[ChildTask]
    folder: str
    pipe_variable: str
    grace_seconds: int
    counters: str | None = None
    lock: int | None = None

    def run(self) -> int:
        """Supervise until the end; leave the counter folder. Return the exit code."""
        environ = dict(os.environ)
        notify_socket = environ.pop(NOTIFY_SOCKET, "")  # this process speaks for its children
        beats: Beats = SystemdBeats(notify_socket) if notify_socket else NoBeats()
        if self.counters is not None and self.lock is not None:
            take_over(CounterFolder(Path(self.counters), self.lock, None))
        children = [
            Child(child.name, child.command, essential=child.essential, pid=child.pid, due=None, beats=child.beats)
            for child in self.children
        ]
        try:
            supervisor = Supervisor(
                children,
                environ,
                folder=Path(self.folder),
                pipe_variable=self.pipe_variable,
                grace_seconds=self.grace_seconds,
                beats=beats,
            )
            return supervisor.run()
        finally:
            leave()

    def descriptors(self) -> list[int]:
        """Return the descriptors that the supervisor must inherit."""
        return [child.beats for child in self.children] + ([] if self.lock is None else [self.lock])


def write_task(task: Task) -> int:
    """Return the descriptor of a pipe that holds the task; it is inherited by `exec`, as is what the task names."""
    ours, theirs = os.pipe()
    with open(theirs, "w") as pipe:  # noqa: PTH123 - a descriptor has no path
        json.dump({**task._asdict(), "children": [child._asdict() for child in task.children]}, pipe)
    for descriptor in (ours, *task.descriptors()):
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - it takes no keyword
    return ours


def read_task(descriptor: int) -> Task:
    """Return the task. No child inherits what it names."""
    with open(descriptor) as pipe:
        fields = json.load(pipe)
    task = Task(**{**fields, "children": [ChildTask(**child) for child in fields["children"]]})
    for inherited in task.descriptors():
        os.set_inheritable(inherited, False)  # noqa: FBT003
    return task
