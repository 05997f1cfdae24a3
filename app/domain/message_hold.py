"""Why a queued message is not sent yet: a paused scope holds it back, or Meta is not reached from its number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.content_scope import PREFIXES
from app.domain.queue import QueueState
from app.domain.scope_pause import ScopePause


@dataclass(frozen=True)
class MessageHold:
    """The hold on a message. `until`: when one is tried; None: until a human resumes the scope."""

    scope: str
    reason: str
    since: datetime | None
    until: datetime | None


def hold_of(
    names: Iterable[str],
    paused: Mapping[str, ScopePause],
    queue: QueueState | None,
    now: datetime,
    token_variable: str | None,
) -> MessageHold | None:
    """Return what holds a message of these scopes and this queue back; None if it only waits for its turn."""
    for name in names:
        pause = paused.get(name)
        if pause is not None and (not name.startswith(PREFIXES) or pause.holds(now)):
            return MessageHold(name, pause.explained(token_variable), pause.since, pause.until)
    if queue is None or not queue.breaker.is_open:
        return None
    reason = f"Meta is not reached: {queue.last_error}"
    return MessageHold(queue.name, reason, queue.last_error_at, queue.breaker.open_until)
