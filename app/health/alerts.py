"""Derives the alerts from a snapshot: conditions that need a human, each with its cause, cure and beginning."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.alert import Alert, AlertKey
from app.domain.clock import ClockJump
from app.domain.destination import DestinationState, DestinationStatus
from app.domain.heartbeat import is_any_fresh
from app.domain.media_file import MEDIA_QUEUE
from app.domain.queue import QueueState
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.timestamps import iso
from app.health import alert_kinds as kinds
from app.health.alerts_of_sending import counted, of_sending
from app.health.snapshot import Snapshot
from app.store import cure_of_reason

OK = "ok"
MAX_SPLIT_WAIT_SECONDS = 60
MAX_PAUSE = timedelta(minutes=15)
REFUSAL_CURES: Mapping[str, str] = {
    "signature_mismatch": "set `webhook.appSecret` to the secret of the app that sends, and restart",
    "missing_signature": "see that a proxy passes the header X-Hub-Signature-256 on; it may be no webhook of Meta's",
    "invalid_signature_format": "see that a proxy passes X-Hub-Signature-256 on unchanged; it may be none of Meta's",
    "verify_token_mismatch": "enter `webhook.verifyToken` as the verify token in Meta's dashboard",
    "invalid_handshake": "it is no handshake of Meta's: nothing to do unless Meta's dashboard shows an error",
    "body_too_large": "raise `webhook.maxBodyBytes` (Meta sends up to 3 MB), and restart",
    "body_timeout": "see whether the network or the proxy in front is slow",
    "invalid_body": "see whether a proxy in front cuts bodies short",
}
"""Cures by the code of the error that the request was refused with."""

CHECK_CURES: Mapping[str, str] = {
    "schema": "run `flask wats db upgrade`",
    "disk": "free some space on the disk of the database, or lower `storage.minFreeMegabytes`",
    "draining": "nothing to do: this process is being stopped or replaced",
}
"""Cures by the check. The store has those for reasons of the database."""

CONSEQUENCES = (kinds.NO_WORKER.code, kinds.RECEIPTS_WAIT.code)


def current_alerts(
    checks: Mapping[str, str], snapshot: Snapshot, *, store_failed_recently: bool = False
) -> list[Alert]:
    """Return the current alerts. Leave out those that only follow from a store that is unreachable or just back."""
    is_unreachable = any(checks.get(name, OK) != OK for name in ("database", "schema"))
    left_out = CONSEQUENCES if is_unreachable or store_failed_recently else ()
    return [*alerts_of_checks(checks), *(alert for alert in alerts_of(snapshot) if alert.code not in left_out)]


def alerts_of(snapshot: Snapshot) -> list[Alert]:
    """Return the alerts, the most urgent first."""
    readers: tuple[Callable[[Snapshot], Iterator[Alert]], ...] = (
        _of_workers,
        _of_refused,
        _of_receipts,
        _of_deliveries,
        _of_media,
        _of_foreign,
        of_sending,
        _of_consumers,
        _of_clock,
    )
    return [alert for reader in readers for alert in reader(snapshot)]


def alerts_of_checks(checks: Mapping[str, str]) -> list[Alert]:
    """Return an alert for each failed check of readiness."""
    return [
        kinds.NOT_READY.alert(
            f"not ready: {name}: {result}", name, cure=cure_of_reason(result) or CHECK_CURES.get(name)
        )
        for name, result in checks.items()
        if result != OK
    ]


def with_beginnings(alerts: list[Alert], recorded: Mapping[AlertKey, Alert]) -> list[Alert]:
    """Return the alerts with the time at which each began, where it is recorded."""
    return [replace(one, since=recorded[one.key].since) if one.key in recorded else one for one in alerts]


def _of_workers(snapshot: Snapshot) -> Iterator[Alert]:
    if not is_any_fresh(snapshot.workers, snapshot.now):
        last = max((worker.at for worker in snapshot.workers), default=None)
        yield kinds.NO_WORKER.alert("no worker is alive: nothing is split, delivered or sent", since=last)


def _of_refused(snapshot: Snapshot) -> Iterator[Alert]:
    accepted_at = snapshot.receipts.last_received_at
    for refused in snapshot.refused:
        if not refused.is_over(snapshot.now, accepted_at):
            accepted = "none was ever accepted" if accepted_at is None else f"the last accepted: {iso(accepted_at)}"
            cause = f"{_refused(refused)} ({refused.reason}), {accepted}"
            cure = REFUSAL_CURES.get(refused.reason)
            yield kinds.WEBHOOKS_REFUSED.alert(cause, refused.reason, since=refused.since, cure=cure)


def _refused(refused: RefusedWebhooks) -> str:
    were = "was" if refused.count == 1 else "were"
    return f"{counted(refused.count, 'request')} to the webhook's path {were} refused"


def _of_receipts(snapshot: Snapshot) -> Iterator[Alert]:
    receipts = snapshot.receipts
    seconds = snapshot.age(receipts.oldest_pending_at) or 0
    if seconds > MAX_SPLIT_WAIT_SECONDS:
        waiting = counted(receipts.pending, "receipt")
        cause = f"{waiting} not split into events yet, the oldest for {seconds:.0f} s: nothing of them is delivered"
        yield kinds.RECEIPTS_WAIT.alert(cause, since=receipts.oldest_pending_at)
    if receipts.unreadable:
        cause = f"{counted(receipts.unreadable, 'unreadable receipt')}: no events could be made of what Meta sent"
        yield kinds.UNREADABLE.alert(cause)


def _of_deliveries(snapshot: Snapshot) -> Iterator[Alert]:
    for destination in snapshot.destinations:
        yield from _of_destination(destination, snapshot.now)
        if destination.is_troubled(snapshot.now):
            yield _of_trouble(destination, snapshot.recorded)
    if snapshot.dead_letters:
        cause = f"{counted(snapshot.dead_letters, 'dead letter')}: deliveries that were given up after three days"
        yield kinds.DEAD_LETTERS.alert(cause)


def _of_media(snapshot: Snapshot) -> Iterator[Alert]:
    for queue in snapshot.troubled:
        if queue.name == MEDIA_QUEUE:
            yield _of_media_queue(queue)
    if snapshot.media_given_up:
        yield kinds.MEDIA_GIVEN_UP.alert(f"received files were given up: {snapshot.media_given_up}")
    for machine, problem in snapshot.media_folder_problems:
        yield kinds.MEDIA_FOLDER.alert(f"on {machine} {problem}", machine)


def _of_media_queue(queue: QueueState) -> Alert:
    if queue.breaker.is_open:
        return kinds.MEDIA_HELD_BACK.alert(f"received files are not fetched: {queue.last_error}")
    cause = f"received files were not fetched until {iso(queue.was_open_at)} ({queue.last_error})"
    return kinds.MEDIA_HELD_BACK.alert(f"{cause}, which may happen again", cure=kinds.FETCHED_AGAIN)


def _of_destination(destination: DestinationStatus, now: datetime) -> Iterator[Alert]:
    name = destination.name
    if destination.state is DestinationState.DISABLED:
        cause = f"{name} is disabled ({destination.last_error}): nothing is pushed to it, and its events wait"
        yield kinds.DISABLED.alert(cause, name)
    if destination.state is DestinationState.PAUSED and destination.holds_up(now - MAX_PAUSE):
        yield kinds.PAUSED.alert(f"{name} is paused, {_waiting(destination)}", name, since=destination.paused_at)


def _of_trouble(destination: DestinationStatus, recorded: Mapping[AlertKey, Alert]) -> Alert:
    """Return the alert of a destination that fails or refuses. Its code stays the same until the alert ends."""
    name, cause = destination.name, destination.last_error
    usual = (kinds.REFUSING, kinds.FAILING) if destination.is_refusing else (kinds.FAILING, kinds.REFUSING)
    kind = next((kind for kind in usual if (kind.code, name) in recorded), usual[0])
    if destination.state is DestinationState.ACTIVE:
        text = f"{name} failed until {iso(destination.was_open_at)} ({cause}) and may do so again"
        return kind.alert(f"{text}, {_waiting(destination)}", name, cure=kinds.AFTER_TROUBLE)
    if destination.is_refusing:
        text = f"{name} answered {cause} to the last {destination.refusals} events"
        return kind.alert(f"{text}, {_waiting(destination)}", name)
    return kind.alert(f"{name} is failing ({cause}), {_waiting(destination)}", name)


def _waiting(destination: DestinationStatus) -> str:
    oldest_at = destination.oldest_undelivered_at
    since = f", the oldest since {iso(oldest_at)}" if oldest_at else ""
    return f"{counted(destination.waiting, 'delivery', 'deliveries')} waiting{since}"


def _of_foreign(snapshot: Snapshot) -> Iterator[Alert]:
    for source in snapshot.foreign:
        subject = f"{source.waba_id or '-'}/{source.phone_number_id or '-'}"
        hint = ' (the "Test" button of Meta\'s dashboard sends these ids)' if source.is_test_button else ""
        ids = f"the account {source.waba_id or '-'} and the number {source.phone_number_id or '-'}"
        cause = f"{counted(source.count, 'event')} of {ids}, which the config does not list{hint}"
        yield kinds.FOREIGN_EVENTS.alert(cause, subject, since=source.since)


def _of_consumers(snapshot: Snapshot) -> Iterator[Alert]:
    for name in snapshot.consumers_ahead:
        cause = f"the consumer {name} has acknowledged a cursor beyond the last event (a restored backup?)"
        yield kinds.CONSUMER_AHEAD.alert(cause, name)


def _of_clock(snapshot: Snapshot) -> Iterator[Alert]:
    jump = snapshot.clock_jump
    if jump is not None and jump.is_recent(snapshot.now):
        yield kinds.CLOCK_JUMPED.alert(_description_of(jump), since=jump.at)


def _description_of(jump: ClockJump) -> str:
    way, effect = (
        ("back", "what waited for the old time is due again, and what was received before has too late a time")
        if jump.seconds < 0
        else ("ahead", "leases ended early, so that running jobs may be repeated; nothing is deleted for an hour")
    )
    by = timedelta(seconds=abs(jump.seconds))
    return f"the clock was set {way} by about {by} (noticed at {iso(jump.at)}): {effect}"
