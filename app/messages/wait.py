"""Wait until Meta has answered a message, or for as long as the client wants to wait."""

import time

import gevent

from app.domain.message import UNFINISHED, Message
from app.startup import draining
from app.store import Store
from app.web.long_polls import LongPollLimiter

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25


def wait_for_answer(store: Store, message: Message, seconds: float, limiter: LongPollLimiter) -> Message:
    """Return the message once it is no longer queued or being sent, or as it is when the time is over."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    with limiter.slot() as has_slot:
        while has_slot and message.status in UNFINISHED and time.monotonic() < deadline and not draining.has_begun():
            gevent.sleep(max(pause, limiter.backoff_seconds))
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
            message = store.messages.get(message.id) or message
    return message
