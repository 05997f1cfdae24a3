"""Which bell a process has, by its database and by whether it has a gevent loop."""

import time

from app.store.engine import sqlite
from app.store.notify.notifier import Bell, Channel, Listener
from app.store.notify.postgres_listen import NotifyBell
from app.store.notify.sqlite_fifo import PipeBell

COARSE_SECONDS = 0.05


class CoarseBell:
    """For a process without a gevent loop: it rings for others, and to listen is to look again after a moment."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self.within, self.after, self.close = bell.within, bell.after, bell.close

    def listen(self, channel: Channel) -> "CoarseListener":  # noqa: ARG002
        return CoarseListener()


class CoarseListener(Listener):
    """Looks again every now and then."""

    def __init__(self) -> None:
        """It hears nothing, so that it needs nothing."""

    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, COARSE_SECONDS))
        return True


def bell_for(url: str, *, cooperative: bool) -> Bell:
    """The bell of the database that the URL names."""
    bell: Bell = PipeBell(sqlite.path_of(url)) if url.startswith("sqlite:") else NotifyBell(url)
    return bell if cooperative else CoarseBell(bell)
