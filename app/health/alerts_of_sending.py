"""Derives the alerts about sending from a snapshot."""

from collections.abc import Iterator

from app.domain.alert import Alert
from app.domain.job import kind_of_queue
from app.domain.message import SEND_KIND, SEND_QUEUE
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import graph_error
from app.domain.meta.graph_versions import end_of, ends_soon
from app.domain.meta.warnings import QUALITY
from app.domain.queue import QueueState
from app.domain.timestamps import iso
from app.health import sending_alert_kinds as kinds
from app.health.snapshot import Snapshot


def of_sending(snapshot: Snapshot) -> Iterator[Alert]:
    """Yield the alerts about sending, the most urgent first."""
    yield from _of_token(snapshot)
    yield from _of_pauses(snapshot)
    yield from _of_failures(snapshot)
    yield from _of_warnings(snapshot)
    yield from _of_version(snapshot)
    yield from _of_orphans(snapshot)
    yield from _of_messages(snapshot)


def _of_token(snapshot: Snapshot) -> Iterator[Alert]:
    token, name = snapshot.signs.token, snapshot.token_name
    if token is None or name is None:
        return
    if not token.is_valid:
        yield kinds.TOKEN_DEAD.alert(f"Meta refuses the access token of {name} ({token.reason})", name)
    elif token.is_dead(snapshot.now):
        yield kinds.TOKEN_DEAD.alert(f"the access token of {name} expired at {iso(token.ends_at)}", name)
    elif token.ends_soon(snapshot.now):
        yield kinds.TOKEN_EXPIRES.alert(f"the access token of {name} expires at {iso(token.ends_at)}", name)


def _of_pauses(snapshot: Snapshot) -> Iterator[Alert]:
    for pause in (pause for pause in snapshot.pauses if not pause.may_work):
        then = "" if pause.until is None else f", or wait: one message is tried at {iso(pause.until)}"
        cause = f"nothing is sent in the scope {pause.name} ({pause.reason})"
        mend = pause.cure(snapshot.token_name)
        usual = kinds.SENDING_PAUSED.cure if mend is None else kinds.SENDING_PAUSED.cure.replace("mend it", mend)
        yield kinds.SENDING_PAUSED.alert(cause, pause.name, since=pause.since, cure=f"{usual}{then}")
    for queue in snapshot.troubled:
        if kind_of_queue(queue.name) == SEND_KIND:
            yield _of_number(queue)


def _of_number(queue: QueueState) -> Alert:
    number = queue.name.removeprefix(SEND_QUEUE)
    if queue.breaker.is_open:
        return kinds.META_NOT_REACHED.alert(
            f"messages of {number} do not reach Meta ({queue.last_error}), and wait", number
        )
    cause = f"messages of {number} did not reach Meta until {iso(queue.was_open_at)} ({queue.last_error})"
    return kinds.META_NOT_REACHED.alert(f"{cause}, which may happen again", number, cure=kinds.REACHED_AGAIN)


def _of_orphans(snapshot: Snapshot) -> Iterator[Alert]:
    for depth in snapshot.orphaned:
        number, waiting = depth.queue.removeprefix(SEND_QUEUE), counted(depth.waiting, "message")
        cause = f"{waiting} of {number} wait: the profile does not list this number"
        yield kinds.NUMBER_NOT_LISTED.alert(cause, number)


def _of_messages(snapshot: Snapshot) -> Iterator[Alert]:
    counts = snapshot.messages
    if counts.sent_twice:
        yield kinds.SENT_TWICE.alert(f"Meta has accepted a message twice: {counts.sent_twice}")
    if counts.unknown:
        unknown = counted(counts.unknown, "unknown message")
        yield kinds.UNKNOWN_MESSAGES.alert(f"{unknown}: Meta's answer was lost and no status came")


def _of_failures(snapshot: Snapshot) -> Iterator[Alert]:
    """Yield an alert for each error of Meta's that failed messages and that a human should know of."""
    for failed in snapshot.signs.failures:
        error = graph_error(failed.error)
        if error is None:
            continue
        least = "at least " if failed.has_more else ""
        country = "" if failed.country is None else f" to customers of {failed.country}"
        messages = f"{least}{counted(failed.count, 'message')}{country}"
        cause = f"{messages} failed within a day: {error.summary} ({rule_in_status(error).hint})"
        yield kinds.MESSAGES_REFUSED.alert(cause, failed.subject, since=failed.since)


def _of_warnings(snapshot: Snapshot) -> Iterator[Alert]:
    for warning in snapshot.signs.warnings:
        kind = kinds.NUMBER_QUALITY if warning.type == QUALITY else kinds.ACCOUNT_WARNED
        yield kind.alert(warning.text or "", warning.subject, since=warning.at)


def _of_version(snapshot: Snapshot) -> Iterator[Alert]:
    version = snapshot.graph_version
    if version is not None and ends_soon(version, snapshot.now):
        end = end_of(version)
        assert end is not None, "it ends soon"
        verb = "has ended" if end <= snapshot.now else "ends"
        yield kinds.GRAPH_VERSION_ENDS.alert(f"the Graph API {version} {verb} on {end:%Y-%m-%d}", version)


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
