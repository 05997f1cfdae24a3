"""The watch: compares the alerts that stand with those that stood, and writes a line for each that began or is over.

A singleton job runs it, so that several workers and machines make one. While no worker is alive, the web processes
run it: they are who can tell.
"""

import logging
from collections.abc import Mapping

from app.domain.alert import Alert, changes_of
from app.domain.job import WATCH_EVERY, Job, Retry
from app.domain.timestamps import iso
from app.gateway import Gateway
from app.health.alert_kind import Urgency
from app.health.alert_kinds import ALERT_KINDS
from app.health.alerts import standing_alerts
from app.health.snapshot import Snapshot, take_snapshot

log = logging.getLogger(__name__)

LEVELS = {Urgency.PAGE: logging.ERROR, Urgency.TICKET: logging.WARNING}
LEVEL_OF: Mapping[str, int] = {kind.code: LEVELS[kind.urgency] for kind in ALERT_KINDS}


class Watch:
    """The handler of the watch's job."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._destinations = [
            one.name for one in gateway.settings.destinations if one.operator_events and one.format != "meta"
        ]

    def handle(self, job: Job) -> Retry:  # noqa: ARG002 - the singleton job has no payload
        """Look once, and again after a while."""
        self.look()
        return Retry(WATCH_EVERY)

    def look(self) -> None:
        """Record and log what has changed since the last look. Raises `StoreError`."""
        attention = self._gateway.store.attention
        checks = self._gateway.store.checks()
        snapshot = take_snapshot(self._gateway)
        standing = standing_alerts(checks, snapshot)
        found = changes_of(standing, attention.recorded())
        if found.opened or found.closed:
            changes = attention.record(standing, destinations=self._destinations)
            for alert in changes.opened:
                _log(alert, LEVEL_OF[alert.code])
            for alert in changes.closed:
                _log(alert)
        self._forget_refused(snapshot)

    def _forget_refused(self, snapshot: Snapshot) -> None:
        accepted_at = snapshot.receipts.last_received_at
        over = [refused for refused in snapshot.refused if refused.is_over(snapshot.now, accepted_at)]
        if over:
            self._gateway.store.attention.forget_refused(over)


def _log(alert: Alert, level: int | None = None) -> None:
    """Write the line of an alert that began, at this level, or of one that is over."""
    fields = {
        "alert": alert.code,
        "subject": alert.subject or None,
        "reason": alert.message,
        "since": iso(alert.since),
    }
    if level is None:
        log.info("alert.closed", extra=fields)
    else:
        log.log(level, "alert.opened", extra=fields)
