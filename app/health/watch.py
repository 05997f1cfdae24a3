"""The watch compares the current alerts with the recorded ones, and logs each that began or is over.

A singleton job runs it, so that all workers and machines together log each change once. While no worker is alive, the
web processes run it. The job also wakes held messages that nothing else has woken, and judges the failures that older
code has recorded.
"""

import logging
from collections.abc import Mapping

from app.domain.alert import Alert, AlertChanges, changes_of
from app.domain.job import WATCH_EVERY, Job, Retry
from app.domain.timestamps import iso
from app.gateway import Gateway
from app.health.alert_kind import Urgency
from app.health.alert_kinds import ALERT_KINDS
from app.health.alerts import current_alerts
from app.health.snapshot import Snapshot, take_snapshot
from app.log import Throttle
from app.store import StoreRefused

log = logging.getLogger(__name__)

LEVELS = {Urgency.PAGE: logging.ERROR, Urgency.TICKET: logging.WARNING}
LEVEL_OF: Mapping[str, int] = {kind.code: LEVELS[kind.urgency] for kind in ALERT_KINDS}


class Watch:
    """The handler of the watch's job."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._refused = Throttle()
        self._woken_up_to = ""
        self._destinations = [
            destination.name
            for destination in gateway.settings.destinations
            if destination.operator_events and destination.format != "meta"
        ]

    def handle(self, job: Job) -> Retry:  # noqa: ARG002 - the singleton job has no payload
        """Look once, judge failures of older code for the next look, wake what nothing else has woken, and repeat."""
        self.look()
        self._gateway.store.upkeep.judge_failures()
        self._woken_up_to = self._gateway.store.sending.wake_released(after=self._woken_up_to)
        return Retry(WATCH_EVERY)

    def look(self) -> None:
        """Record and log what has changed since the last look. Raises `StoreError`."""
        checks = self._gateway.store.checks()
        if self._gateway.settings.media.fetch_on_arrival:
            self._gateway.store.media_marks.look(self._gateway.media_folder, renews=True)
        snapshot = take_snapshot(self._gateway)
        current = current_alerts(checks, snapshot)
        found = changes_of(current, snapshot.recorded)
        if found.opened or found.closed:
            changes = self._record(current, found)
            for alert in changes.opened:
                _log(alert, LEVEL_OF[alert.code])
            for alert in changes.closed:
                _log(alert)
        if found.changed:
            self._gateway.store.attention.reword(found.changed)
        self._forget_refused(snapshot)

    def _record(self, current: list[Alert], found: AlertChanges) -> AlertChanges:
        """Record the current alerts. If the database refuses that, record each change by itself where it can."""
        try:
            return self._gateway.store.attention.record(current, destinations=self._destinations)
        except StoreRefused:
            kept = [alert for alert in current if alert not in found.opened] + found.closed
            changes = AlertChanges([], [])
            for alert in [*found.opened, *found.closed]:
                wanted = [*kept, alert] if alert in found.opened else [one for one in kept if one.key != alert.key]
                if recorded := self._record_alone(wanted, alert):
                    kept = wanted
                    changes.opened.extend(recorded.opened)
                    changes.closed.extend(recorded.closed)
            return changes

    def _record_alone(self, wanted: list[Alert], alert: Alert) -> AlertChanges | None:
        """Record the change of one alert, without its events if the database refuses these. Log if both fail."""
        attention = self._gateway.store.attention
        for destinations in (self._destinations, []):
            try:
                return attention.record(wanted, destinations=destinations)
            except StoreRefused as error:
                refused = error
        if self._refused.repeats(alert.key) is not None:
            fields = {"alert": alert.code, "subject": alert.subject or None, "reason": str(refused)}
            log.error("alert.not_recorded", extra=fields)
        return None

    def _forget_refused(self, snapshot: Snapshot) -> None:
        accepted_at = snapshot.receipts.last_received_at
        over = [refused for refused in snapshot.refused if refused.is_over(snapshot.now, accepted_at)]
        if over:
            self._gateway.store.attention.forget_refused(over)


def _log(alert: Alert, level: int | None = None) -> None:
    """Log an alert that began, at this level; or one that is over, if no level is given."""
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
