"""Waits until Meta has answered messages, or for as long as the clients want to wait.

One greenlet reads for all requests of a process that wait: when some process has settled messages, and now and then,
because a notification may be lost, and a status may come before the answer.
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

LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.01
"""How long the answers of several messages are gathered, so that one read finds them all."""

DRAINING_CHECK_SECONDS = 0.5


def _is_tried(message: Message) -> bool:
    return message.status not in UNFINISHED


def _never() -> bool:
    return False


@dataclass(eq=False)
class _Waiting:
    """A request that waits. `answered` is set once its message is as it waits for."""

    message: Message
    is_over: Callable[[Message], bool]
    answered: Event = field(default_factory=Event)

    def take(self, message: Message | None) -> None:
        if message is not None:
            self.message = message
            if self.is_over(message):
                self.answered.set()


class AnswerWaits:
    """The requests of this process that wait for an answer."""

    def __init__(self, store: Store, limiter: LongPollLimiter) -> None:
        self._store = store
        self._limiter = limiter
        self._waiting: set[_Waiting] = set()
        self._reader: gevent.Greenlet[..., None] | None = None

    def wait(self, message: Message, seconds: float) -> Message:
        """Return the message once it is no longer queued or being sent, or as it was when the time is over.

        Without a slot the time is over at once.
        """
        with self._limiter.slot() as has_slot:
            return self.wait_in_slot(message, seconds if has_slot else 0, _is_tried)

    def wait_in_slot(
        self,
        message: Message,
        seconds: float,
        is_over: Callable[[Message], bool],
        gives_up: Callable[[], bool] = _never,
    ) -> Message:
        """Return the message once `is_over`, or as it was when the time is over or the client gives up.

        It is stored, and its client must learn so: the store may fail meanwhile. Call it with a slot of the limiter.
        """
        if is_over(message):
            return message
        deadline = time.monotonic() + seconds
        with self._listed(_Waiting(message, is_over)) as waiting:
            with suppress(StoreError):
                waiting.take(self._store.messages.get(message.id))  # it may have been answered before it was listed
            while not waiting.answered.is_set() and not draining.has_begun() and not gives_up():
                left = deadline - time.monotonic()
                if left <= 0 or waiting.answered.wait(min(left, DRAINING_CHECK_SECONDS)):
                    break
        return waiting.message

    @contextmanager
    def _listed(self, waiting: _Waiting) -> Iterator[_Waiting]:
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
