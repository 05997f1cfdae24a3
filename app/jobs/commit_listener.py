"""Wakes dispatchers after the commits of all processes: those that rest only if one of their jobs is due.

A notification does not say what was committed. One read for all resting queues costs less than a claim for each.
"""

from collections.abc import Callable, Sequence

from gevent.event import Event

from app.domain.heartbeat import BEAT_EVERY
from app.jobs.dispatcher import Dispatcher
from app.jobs.loop_deadline import LoopDeadline
from app.store import Store, StoreError

GATHER_SECONDS = 0.02
"""The pause after a read: however many commits there are meanwhile, one read sees them all."""


class CommitListener:
    """Listens in one worker for all of its dispatchers, and reads nothing while they may not work."""

    def __init__(self, store: Store, dispatchers: Sequence[Dispatcher], may_work: Callable[[], bool]) -> None:
        self._store = store
        self._dispatchers = dispatchers
        self._may_work = may_work
        self.loop_deadline = LoopDeadline("notifications")

    def listen_until(self, stop: Event) -> None:
        """Wake dispatchers after commits until `stop` is set."""
        listener = self._store.notifier.listen("work")
        while not stop.is_set():
            self.loop_deadline.extend(BEAT_EVERY.total_seconds())
            if listener.wait(BEAT_EVERY.total_seconds()) and self._may_work():
                self._wake()
                stop.wait(GATHER_SECONDS)

    def _wake(self) -> None:
        """Wake the busy dispatchers, whose claims may have come before a commit, and those that rest too long."""
        resting = {each.queue_name: each for each in self._dispatchers if each.rests}
        for dispatcher in self._dispatchers:
            if not dispatcher.rests:
                dispatcher.notify()
        try:
            due = self._store.jobs.next_due(resting) if resting else {}
        except StoreError:  # each of them meets the error too, and logs it
            due = dict.fromkeys(resting, 0.0)
        for queue, seconds in due.items():
            resting[queue].expect(seconds)
