"""Which notifier a process uses: by its database, and by whether it runs under gevent."""

import time

from app.store.engine import sqlite
from app.store.engine.write import Channel
from app.store.notify.notifier import Listener, Notifier
from app.store.notify.postgres_listen import PostgresNotifier
from app.store.notify.sqlite_fifo import FifoNotifier

POLL_SECONDS = 0.05


class PollingNotifier:
    """For a process without gevent: it notifies others, but its own listeners poll."""

    def __init__(self, notifier: Notifier) -> None:
        self.notify_in_transaction = notifier.notify_in_transaction
        self.notify_after_commit = notifier.notify_after_commit
        self.close = notifier.close

    def listen(self, channel: Channel) -> "PollingListener":  # noqa: ARG002
        return PollingListener()


class PollingListener(Listener):
    """Asks its caller to look again every 50 ms."""

    def __init__(self) -> None:
        """Need no signal."""

    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, POLL_SECONDS))
        return True


def notifier_for(url: str, *, cooperative: bool) -> Notifier:
    """Return the notifier of the database that the URL names. `cooperative`: this process runs under gevent."""
    notifier: Notifier = FifoNotifier(sqlite.path_of(url)) if url.startswith("sqlite:") else PostgresNotifier(url)
    return notifier if cooperative else PollingNotifier(notifier)
