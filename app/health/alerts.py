"""The conditions that need a human: each has a code for machines and a sentence with its cause and its cure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.domain.clock import ClockJump
from app.domain.destination import DestinationState, DestinationStatus
from app.domain.message import SEND_QUEUE
from app.domain.timestamps import iso
from app.health.snapshot import Snapshot
from app.store import MessageCounts

OK = "ok"
MAX_SPLIT_WAIT_SECONDS = 60


@dataclass(frozen=True)
class Alert:
    """One condition that needs a human. `code` is stable, `message` may change with any release."""

    code: str
    message: str


def alerts_of(snapshot: Snapshot) -> list[Alert]:
    """Return the alerts, the most urgent first."""
    return [
        *_of_workers(snapshot),
        *_of_receipts(snapshot),
        *_of_deliveries(snapshot),
        *_of_sending(snapshot),
        *_of_orphans(snapshot),
        *_of_messages(snapshot.messages),
        *_of_consumers(snapshot),
        *_of_clock(snapshot),
    ]


def alerts_of_checks(checks: Mapping[str, str]) -> list[Alert]:
    """Return an alert for each failed check of readiness."""
    return [Alert("not_ready", f"not ready: {name}: {result}") for name, result in checks.items() if result != OK]


def _of_workers(snapshot: Snapshot) -> Iterator[Alert]:
    if not any(worker.is_fresh(snapshot.now) for worker in snapshot.workers):
        yield Alert("no_worker", "no worker is alive: nothing is split or delivered; start `flask wats worker`")


def _of_receipts(snapshot: Snapshot) -> Iterator[Alert]:
    receipts = snapshot.receipts
    seconds = snapshot.age(receipts.oldest_pending_at) or 0
    if seconds > MAX_SPLIT_WAIT_SECONDS:
        waiting = _counted(receipts.pending, "receipt")
        yield Alert("receipts_wait", f"waiting to be split: {waiting}, the oldest for {seconds:.0f} s")
    if receipts.unreadable:
        unreadable = _counted(receipts.unreadable, "unreadable receipt")
        yield Alert("unreadable", f"{unreadable}; see `flask wats receipts list --state unreadable`")


def _of_deliveries(snapshot: Snapshot) -> Iterator[Alert]:
    for destination in snapshot.destinations:
        yield from _of_destination(destination)
    if snapshot.dead_letters:
        dead = _counted(snapshot.dead_letters, "dead letter")
        yield Alert("dead_letters", f"{dead}; see `flask wats deliveries list --state dead`")


def _of_destination(destination: DestinationStatus) -> Iterator[Alert]:
    name, cause = destination.name, destination.last_error
    if destination.state is DestinationState.DISABLED:
        yield Alert(
            "disabled", f"{name} is disabled ({cause}); mend it, then run `flask wats destinations resume {name}`"
        )
    if destination.state is DestinationState.FAILING:
        waiting = _counted(destination.waiting, "delivery", "deliveries")
        yield Alert("failing", f"{name} is failing ({cause}), {waiting} waiting; retries go on by themselves")


def _of_sending(snapshot: Snapshot) -> Iterator[Alert]:
    for pause in snapshot.pauses:
        then = "" if pause.until is None else f", or wait: one message is tried at {iso(pause.until)}"
        yield Alert(
            "sending_paused",
            f"nothing is sent in the scope {pause.name} ({pause.reason}); mend it, then run"
            f" `flask wats sending resume {pause.name}`{then}",
        )
    for queue in snapshot.held_back:
        number = queue.name.removeprefix(SEND_QUEUE)
        yield Alert("meta_not_reached", f"messages of {number} wait: {queue.last_error}; retries go on by themselves")


def _of_orphans(snapshot: Snapshot) -> Iterator[Alert]:
    for depth in snapshot.orphaned:
        number, waiting = depth.queue.removeprefix(SEND_QUEUE), _counted(depth.waiting, "message")
        yield Alert(
            "number_not_listed",
            f"{waiting} of {number} wait: the profile does not list this number; list it again, or cancel them",
        )


def _of_messages(counts: MessageCounts) -> Iterator[Alert]:
    if counts.sent_twice:
        yield Alert("sent_twice", f"{_counted(counts.sent_twice, 'message')} sent twice: please report it")
    if counts.unknown:
        unknown = _counted(counts.unknown, "unknown message")
        yield Alert(
            "unknown_messages",
            f"{unknown}: Meta's answer was lost and no status came; decide with `flask wats messages resolve`, see"
            " `flask wats messages list --status unknown`",
        )


def _of_consumers(snapshot: Snapshot) -> Iterator[Alert]:
    for name in snapshot.consumers_ahead:
        yield Alert(
            "consumer_ahead",
            f"the consumer {name} has acknowledged a cursor beyond the last event (a restored backup?); delete it, or"
            " acknowledge a cursor of this database, so that it misses no event",
        )


def _of_clock(snapshot: Snapshot) -> Iterator[Alert]:
    jump = snapshot.clock_jump
    if jump is not None and jump.is_recent(snapshot.now):
        yield Alert("clock_jumped", _description_of(jump))


def _description_of(jump: ClockJump) -> str:
    way, effect = (
        ("back", "what waited for the old time is due again, and what was received before has too late a time")
        if jump.seconds < 0
        else ("ahead", "leases ended early, so that running jobs may be repeated, and retention deletes earlier")
    )
    by = timedelta(seconds=abs(jump.seconds))
    return (
        f"the clock was set {way} by about {by} (noticed at {iso(jump.at)}): {effect}; check the time service of the"
        " machine (of the database's on PostgreSQL)"
    )


def _counted(count: int, singular: str, plural: str | None = None) -> str:
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
