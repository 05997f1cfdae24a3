"""Watches the clock for jumps. Once a clock that was ahead is set right, jobs that were due soon are pulled back.

It looks every few seconds, because nothing else finds such jobs: a claim looks for what is due, and they are not.
After a jump the clock is doubted for a while: nothing expires and nothing is deleted on its word.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from gevent.event import Event

from app.domain.clock import CLOCK_TOLERANCE, ClockJump
from app.domain.clock_trust import DOUBT_AFTER_JUMP, NO_DOUBT, SEEN_EVERY
from app.domain.timestamps import iso
from app.running_time import elapsed_seconds
from app.store import Store, StoreError

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0

SLOW_READING = CLOCK_TOLERANCE / 2
"""Two readings of the clock that each take less cannot differ by a jump."""


class ClockWatch:
    """Compares the store's clock with one that never jumps (`elapsed`), and with what is due.

    That the machine wakes up is no jump.
    """

    def __init__(
        self, store: Store, queues: Sequence[str], lease: timedelta, elapsed: Callable[[], float] = elapsed_seconds
    ) -> None:
        self._store = store
        self._queues = queues
        self._lease = lease
        self._elapsed = elapsed
        self._last: tuple[datetime, float] | None = None
        self._seen = -SEEN_EVERY.total_seconds()
        self._doubted_until: datetime | None = None

    def look_until(self, stop: Event, may_work: Callable[[], bool]) -> None:
        """Look now and then, while the worker may work, until `stop` is set."""
        while not stop.is_set():
            with suppress(StoreError):  # the heartbeats log it
                if may_work():
                    self.look()
            stop.wait(LOOK_SECONDS)

    def look(self) -> None:
        """Pull back what is due too late: at the first look, after a jump, or once a singleton job is due too late.

        Raise `StoreUnavailable`; the next look then begins where this one did. So it does after a reading that took
        long, because the process was frozen meanwhile, or the database slow.
        """
        before, now, elapsed = self._elapsed(), self._store.clock.now(), self._elapsed()
        if timedelta(seconds=elapsed - before) > SLOW_READING:
            return
        jump = self._jump_until(now, elapsed)
        if self._last is None or jump or self._store.clock.is_singleton_job_ahead(self._lease):
            excess = max(self._store.clock.pull_back(queue, self._lease) for queue in self._queues)
            jump = jump or -excess
        self._see(jump, elapsed)
        if jump:
            seconds = round(jump.total_seconds())
            log.warning("clock.jumped", extra={"seconds": seconds})
            self._store.clock.record_jump(ClockJump(now, seconds))
        self._last = (now, elapsed)

    def _see(self, jump: timedelta, elapsed: float) -> None:
        """Record this look, now and then. At a start it is not known whether the clock has jumped before."""
        is_first = self._last is None
        if not jump and not is_first and elapsed - self._seen < SEEN_EVERY.total_seconds():
            return
        trust = self._store.clock.see(DOUBT_AFTER_JUMP if jump else None if is_first else NO_DOUBT)
        if trust.doubted_until is not None and trust.doubted_until != self._doubted_until:
            log.warning("clock.doubted", extra={"until": iso(trust.doubted_until)})
        self._seen, self._doubted_until = elapsed, trust.doubted_until

    def _jump_until(self, now: datetime, elapsed: float) -> timedelta:
        """Return by how much the clock has jumped since the last look; zero for ordinary differences."""
        if self._last is None:
            return timedelta()
        last, last_elapsed = self._last
        jump = now - last - timedelta(seconds=elapsed - last_elapsed)
        return jump if abs(jump) > CLOCK_TOLERANCE else timedelta()
