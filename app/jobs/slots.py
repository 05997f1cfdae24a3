"""The claimed jobs of one queue in one worker, by slot: one is in flight in each slot, and others wait behind it."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic

from gevent.pool import Pool

from app.domain.job import Job
from app.jobs.queue import Task

Handle = Callable[[Job, Task], None]


@dataclass
class _Slot:
    """`since`: when the job in flight was started. `waiting`: the others, each with the time of its claim."""

    since: float
    waiting: deque[tuple[Job, Task, float]] = field(default_factory=deque)


class Slots:
    """Starts the jobs of each slot one after the other, in a greenlet for each slot that has any.

    `note_end` is called after each job, once it does not count as in flight any more.
    """

    def __init__(self, handle: Handle, note_end: Callable[[], None]) -> None:
        self._handle = handle
        self._note_end = note_end
        self._slots: dict[int, _Slot] = {}
        self._running = Pool()

    def __len__(self) -> int:
        """Return how many jobs are in flight or wait."""
        return len(self._slots) + self.waiting

    @property
    def in_flight(self) -> int:
        """How many jobs are in flight."""
        return len(self._slots)

    @property
    def waiting(self) -> int:
        """How many jobs are not started."""
        return sum(len(slot.waiting) for slot in self._slots.values())

    def load(self, number: int) -> int:
        """Return how many jobs of a slot are in flight or wait."""
        slot = self._slots.get(number)
        return 0 if slot is None else 1 + len(slot.waiting)

    def slow(self, seconds: float) -> set[int]:
        """Return the slots whose job has been in flight for longer than this."""
        started_before = monotonic() - seconds
        return {number for number, slot in self._slots.items() if slot.since < started_before}

    def start(self, prepared: Iterable[tuple[Job, Task]]) -> None:
        """Start these jobs, or let them wait for the other jobs of their slot."""
        now = monotonic()
        for job, task in prepared:
            slot = self._slots.get(job.slot)
            if slot is None:
                slot = self._slots[job.slot] = _Slot(now)
                self._running.spawn(self._work_off, slot, job, task)
            else:
                slot.waiting.append((job, task, now))

    def take_waiting(self, *, older_than: float = 0) -> list[Job]:
        """Remove the jobs that have waited for this many seconds, and return them. They will not be started."""
        claimed_before, taken = monotonic() - older_than, []
        for slot in self._slots.values():
            taken += [job for job, _, claimed_at in slot.waiting if claimed_at <= claimed_before]
            slot.waiting = deque(entry for entry in slot.waiting if entry[2] > claimed_before)
        return taken

    def join(self, seconds: float | None = None) -> None:
        """Wait for the jobs in flight."""
        self._running.join(seconds)

    def kill(self) -> None:
        """Abandon the jobs in flight, without waiting: what they call may swallow the exception."""
        self._running.kill(block=False)

    def _work_off(self, slot: _Slot, job: Job, task: Task) -> None:
        try:
            self._handle(job, task)
            while slot.waiting:
                job, task, _ = slot.waiting.popleft()
                slot.since = monotonic()
                self._note_end()
                self._handle(job, task)
        finally:
            del self._slots[job.slot]
            self._note_end()
