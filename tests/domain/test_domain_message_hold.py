"""What holds a queued message back: a scope of its number or of its content, or a number that does not reach Meta."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.breaker import Breaker
from app.domain.message_hold import MessageHold, hold_of
from app.domain.meta.graph_errors import ErrorClass
from app.domain.queue import QueueState
from app.domain.scope_pause import ScopePause

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
TEMPLATE = "template:77:offer.en"
APP = ScopePause("app", ErrorClass.THROTTLED, 4, "4: too many calls", NOON, LATER, 1)
STOPPED = ScopePause(TEMPLATE, ErrorClass.PARKED, 1, "1: wait", NOON, LATER, 1)
DOWN = QueueState("send:1", False, False, Breaker(5, LATER), None, NOON, "connection refused")
BY_APP = MessageHold("app", "4: too many calls", NOON, LATER)
BY_TEMPLATE = MessageHold(TEMPLATE, "1: wait", NOON, LATER)
BY_NETWORK = MessageHold("send:1", "Meta is not reached: connection refused", NOON, LATER)


@pytest.mark.parametrize(
    ("pauses", "queue", "now", "held"),
    [
        ([APP, STOPPED], DOWN, NOON, BY_APP),
        ([STOPPED], DOWN, NOON, BY_TEMPLATE),
        ([STOPPED], DOWN, LATER, BY_NETWORK),
        ([APP], None, LATER, BY_APP),
        ([], replace(DOWN, breaker=Breaker()), NOON, None),
        ([], None, NOON, None),
    ],
)
def test_a_message_is_held_by_the_widest_scope_that_is_paused(
    pauses: list[ScopePause], queue: QueueState | None, now: datetime, held: MessageHold | None
) -> None:
    paused = {pause.name: pause for pause in pauses}

    assert hold_of(["app", "number:1", TEMPLATE], paused, queue, now, None) == held
