"""Lets requests wait until Meta has answered their messages.

One greenlet of a process reads the database for all its waiting requests: when a notification says that some process
has settled messages, and every second, because a notification may be lost and a status may come before the answer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import gevent
from gevent.event import Event

from app.domain.message import UNFINISHED, Message
from app.startup import draining
from app.store import Store, StoreError
from app.web.long_polls import LongPollLimiter

READ_SECONDS = 1.0
GATHER_SECONDS = 0.01
"""How long the answers of several messages are gathered, so that one read finds them all."""

DRAINING_CHECK_SECONDS = 0.5


def _is_attempted(message: Message) -> bool:
    return message.status not in UNFINISHED


def _never() -> bool:
    return False


@dataclass(eq=False)
class _Waiting:
    """A request that waits. `answered` is set once `is_over` returns True for its message."""

    message: Message
    is_over: Callable[[Message], bool]
    answered: Event = field(default_factory=Event)

    def update(self, message: Message | None) -> None:
        if message is not None:
            self.message = message
            if self.is_over(message):
                self.answered.set()


class AnswerWaits:
    """The requests of this process that wait for Meta's answers."""

    def __init__(self, store: Store, limiter: LongPollLimiter) -> None:
        self._store = store
        self._limiter = limiter
        self._waiting: set[_Waiting] = set()
        self._reader: gevent.Greenlet[..., None] | None = None

    def wait(self, message: Message, seconds: float) -> Message:
        """Return the message once it is no longer queued or being sent, or as it is after these seconds.

        If no slot of the limiter is free, do not wait.
        """
        with self._limiter.slot() as has_slot:
            return self.wait_in_slot(message, seconds if has_slot else 0, _is_attempted)

    def wait_in_slot(
        self,
        message: Message,
        seconds: float,
        is_over: Callable[[Message], bool],
        gives_up: Callable[[], bool] = _never,
    ) -> Message:
        """Return the message once `is_over`, or as it is after these seconds or when the client `gives_up`.

        Raise no error of the store: the message is stored, and its client must learn that. The caller holds a slot of
        the limiter.
        """
        if is_over(message):
            return message
        deadline = time.monotonic() + seconds
        with self._registered(_Waiting(message, is_over)) as waiting:
            with suppress(StoreError):
                waiting.update(self._store.messages.get(message.id))  # it may have been answered before it was listed
            while not waiting.answered.is_set() and not draining.has_begun() and not gives_up():
                left = deadline - time.monotonic()
                if left <= 0 or waiting.answered.wait(min(left, DRAINING_CHECK_SECONDS)):
                    break
        return waiting.message

    @contextmanager
    def _registered(self, waiting: _Waiting) -> Iterator[_Waiting]:
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
            if listener.wait(READ_SECONDS):
                gevent.sleep(max(GATHER_SECONDS, self._limiter.backoff_seconds))
            with suppress(StoreError):  # the requests end at their time
                found = self._store.messages.answered({waiting.message.id for waiting in self._waiting})
                for waiting in self._waiting:
                    waiting.update(found.get(waiting.message.id))
