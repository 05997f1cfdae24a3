"""Which notifier a process has, by its database and by whether it has a gevent loop."""

import time

from app.store.engine import sqlite
from app.store.notify.notifier import Channel, Listener, Notifier
from app.store.notify.postgres_listen import PostgresNotifier
from app.store.notify.sqlite_fifo import FifoNotifier

POLL_SECONDS = 0.05


class PollingNotifier:
    """For a process without a gevent loop: it signals for others, and to listen is to look again after a moment."""

    def __init__(self, notifier: Notifier) -> None:
        self._bell = notifier
        self.notify_in_transaction, self.notify_after_commit, self.close = (
            notifier.notify_in_transaction,
            notifier.notify_after_commit,
            notifier.close,
        )

    def listen(self, channel: Channel) -> "PollingListener":  # noqa: ARG002
        return PollingListener()


class PollingListener(Listener):
    """Looks again every now and then."""

    def __init__(self) -> None:
        """It hears nothing, so that it needs nothing."""

    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, POLL_SECONDS))
        return True


def notifier_for(url: str, *, cooperative: bool) -> Notifier:
    """The notifier of the database that the URL names."""
    notifier: Notifier = FifoNotifier(sqlite.path_of(url)) if url.startswith("sqlite:") else PostgresNotifier(url)
    return notifier if cooperative else PollingNotifier(notifier)
