"""The bytes of bodies that one process holds at a time: without a limit many large bodies fill its memory.

Until a body has arrived nothing is known of its sender, and a stranger may send a part of one and then wait. When the
budget is full, the bodies that hold much and have been arriving longest are given up, so that others get in.
"""

import gevent

from app.web.errors import RETRY, ApiError
from app.web.middleware import Environ

MAX_HELD_BYTES = 96 * 1024 * 1024
ROOM_SHARE = 64
"""One look for bodies to give up makes room for a 64th of the budget: it serves many pieces."""

EXTENSION = "wats.bodies"
HELD = "wats.body_bytes"


class BodyGivenUp(Exception):
    """The body has been arriving for too long while there was no room for others."""


class Share:
    """One request's share of the budget. The greenlet that made it reads the body."""

    def __init__(self) -> None:
        self.bytes = 0
        self.is_given_up = False
        self._reader = gevent.getcurrent()
        self._is_arriving = True

    def end(self) -> None:
        """Note that the body has arrived, or that reading it has failed."""
        self._is_arriving = False

    def interrupt(self) -> None:
        """Raise `BodyGivenUp` where the body is read. The hub calls this: no greenlet runs then."""
        if self._is_arriving:
            self._reader.throw(BodyGivenUp())


class BodyBudget:
    """The shares of all requests of a process. Each takes its share piece by piece, and gives it back at its end."""

    def __init__(self, limit: int = MAX_HELD_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self._arriving: dict[Share, None] = {}

    def begin(self, environ: Environ) -> Share:
        """Return the empty share of a request whose body arrives from now on."""
        share = environ[HELD] = Share()
        self._arriving[share] = None
        return share

    def end(self, share: Share) -> None:
        """Note that a body has arrived: it is not given up any more. Its bytes are held until `release`."""
        share.end()
        self._arriving.pop(share, None)

    def take(self, share: Share, count: int) -> None:
        """Add this many bytes to a share. Raise `BodyGivenUp`, or `ApiError` (503) when no other body makes room."""
        if self.held + count > self.limit:
            self._make_room(count, share)
        if share.is_given_up:
            raise BodyGivenUp
        if self.held + count > self.limit:
            raise ApiError("busy", "Too many request bodies are being received; try again.", headers=RETRY)
        self.held += count
        share.bytes += count

    def release(self, environ: Environ) -> bool:
        """Give back what an answered request holds. Return whether its body was given up."""
        share: Share | None = environ.pop(HELD, None)
        if share is None:
            return False
        self.held -= share.bytes
        return share.is_given_up

    def _make_room(self, count: int, taker: Share) -> None:
        """Give up the bodies that have been arriving longest, of those that hold at least half of the average.

        Together these hold at least half of what all hold, however many small bodies there are. A large body that
        arrives quickly is therefore left, unless half of the budget has arrived since it began.
        """
        others = [share for share in self._arriving if share is not taker]  # the oldest first
        enough = sum(share.bytes for share in others) / max(1, 2 * len(others))
        target = self.limit - max(count, self.limit // ROOM_SHARE)
        for share in others:
            if self.held <= target:
                return
            if share.bytes and share.bytes >= enough:
                self._give_up(share)

    def _give_up(self, share: Share) -> None:
        del self._arriving[share]
        self.held -= share.bytes
        share.bytes, share.is_given_up = 0, True
        gevent.get_hub().loop.run_callback(share.interrupt)
