"""Waits until Meta has answered messages, or for as long as the clients want to wait.

One greenlet reads for all requests of a process that wait: when some process has settled messages, and now and then,
because a notification may be lost, and a status may come before the answer.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import gevent
from gevent.event import Event

from app.domain.message import UNFINISHED, Message
from app.startup import draining
from app.store import Store, StoreError
from app.web.long_polls import LongPollLimiter

LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.01
"""How long the answers of several messages are gathered, so that one read finds them all."""

DRAINING_CHECK_SECONDS = 0.5


@dataclass(eq=False)
class _Waiting:
    """A request that waits. `answered` is set once its message is another than it was."""

    message: Message
    answered: Event = field(default_factory=Event)

    def take(self, message: Message | None) -> None:
        if message is not None and message.status not in UNFINISHED:
            self.message = message
            self.answered.set()


class AnswerWaits:
    """The requests of this process that wait for an answer."""

    def __init__(self, store: Store, limiter: LongPollLimiter) -> None:
        self._store = store
        self._limiter = limiter
        self._waiting: set[_Waiting] = set()
        self._reader: gevent.Greenlet[..., None] | None = None

    def wait(self, message: Message, seconds: float) -> Message:
        """Return the message once it is no longer queued or being sent, or as it was when the time is over."""
        deadline = time.monotonic() + seconds
        if message.status not in UNFINISHED:
            return message
        with self._limiter.slot() as has_slot, self._listed(message) as waiting:
            waiting.take(self._store.messages.get(message.id))  # it may have been answered before it was listed
            while has_slot and not waiting.answered.is_set() and not draining.has_begun():
                left = deadline - time.monotonic()
                if left <= 0 or waiting.answered.wait(min(left, DRAINING_CHECK_SECONDS)):
                    break
        return waiting.message

    @contextmanager
    def _listed(self, message: Message) -> Iterator[_Waiting]:
        waiting = _Waiting(message)
        self._waiting.add(waiting)
        if self._reader is None or self._reader.dead:
            self._reader = gevent.spawn(self._read_while_any_waits)
        try:
            yield waiting
        finally:
            self._waiting.remove(waiting)

    def _read_while_any_waits(self) -> None:
        listener = self._store.notifier.listen("messages")
        while self._waiting:
            if listener.wait(LOOK_SECONDS):
                gevent.sleep(max(GATHER_SECONDS, self._limiter.backoff_seconds))
            with suppress(StoreError):  # the requests end at their time
                found = self._store.messages.answered({waiting.message.id for waiting in self._waiting})
                for waiting in self._waiting:
                    waiting.take(found.get(waiting.message.id))
