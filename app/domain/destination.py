"""A destination as it is told: whether it is pushed to, what waits for it, and what was given up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.delivery import DeliveryCounts
from app.domain.job import DELIVER_LANE
from app.domain.queue import LaneState


class DestinationState(StrEnum):
    """`paused` by a human; `open`: its breaker waits after failures in a row; `disabled`: it answered 410."""

    ACTIVE = "active"
    PAUSED = "paused"
    OPEN = "open"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Standing:
    """How a destination stands. `last_error` is kept after a success; the moments tell which came later."""

    name: str
    state: DestinationState
    waiting: int
    dead: int
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None


def lane_of_destination(name: str) -> str:
    """The lane in which a destination's deliveries wait."""
    return DELIVER_LANE + name


def standings_of(
    names: Iterable[str], lanes: Iterable[LaneState], counts: Mapping[str, DeliveryCounts]
) -> list[Standing]:
    """How these destinations stand, by what is known of their lanes and their deliveries."""
    by_name = {lane.name: lane for lane in lanes}
    return [_standing(name, by_name.get(lane_of_destination(name)), counts.get(name)) for name in names]


def state_of(lane: LaneState | None) -> DestinationState:
    """What holds a destination up, the strongest reason first. One that has no lane yet had nothing to take."""
    if lane is None:
        return DestinationState.ACTIVE
    if lane.disabled:
        return DestinationState.DISABLED
    if lane.paused:
        return DestinationState.PAUSED
    return DestinationState.OPEN if lane.breaker.is_open else DestinationState.ACTIVE


def _standing(name: str, lane: LaneState | None, counts: DeliveryCounts | None) -> Standing:
    return Standing(
        name=name,
        state=state_of(lane),
        waiting=counts.waiting if counts else 0,
        dead=counts.dead if counts else 0,
        last_success_at=lane.last_success_at if lane else None,
        last_error_at=lane.last_error_at if lane else None,
        last_error=lane.last_error if lane else None,
    )
