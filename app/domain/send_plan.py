"""Which of the claimed messages of a number are sent now, and when the others are looked at again. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.domain.clock import MAX_HELD_BACK
from app.domain.pacing import NumberPace, Pace, PairPace
from app.domain.scope_pause import ScopePause
from app.domain.send_limits import SendLimits

SCOPE_REST = timedelta(seconds=30)
"""How long the queue of a paused scope rests at most, so that its messages expire in time, and that one whose pause
was ended goes on."""


@dataclass(frozen=True)
class Candidate:
    """A claimed message that is not over. `contact`: its customer's number. `is_suspect`: Meta refused it last,
    with an error that paused a scope.
    """

    job_id: int
    contact: int
    created_at: datetime
    expires_at: datetime
    is_suspect: bool = False


@dataclass(frozen=True)
class ScopeGate:
    """The limits that the paused scopes of a number set. `limit`: how many messages, if limited. `probing`: pauses
    whose probe begins. `rest_until`: until then nothing of the number is claimed.
    """

    limit: int | None = None
    probing: tuple[ScopePause, ...] = ()
    rest_until: datetime | None = None


@dataclass
class SendPlan:
    """`granted`: the jobs whose messages are sent now. `back`: those that are handed back, with their due times.

    `number`, `pairs`: the paces afterwards. `rest_until`: until then nothing of the number is claimed.
    """

    number: NumberPace
    granted: list[int] = field(default_factory=list)
    back: dict[int, datetime] = field(default_factory=dict)
    pairs: dict[int, PairPace] = field(default_factory=dict)
    rest_until: datetime | None = None


def scope_gate(pauses: Sequence[ScopePause], now: datetime) -> ScopeGate:
    """Return what these paused scopes allow: nothing, or one message or a few as the probe of all of them."""
    if not pauses:
        return ScopeGate()
    probing = tuple(pause.probing(now) for pause in pauses)
    if all(pause.is_probe_due(now) for pause in pauses):
        return ScopeGate(min(pause.batch for pause in pauses), probing, now + SCOPE_REST)
    ends = [pause.until for pause in pauses if pause.until is not None and not pause.is_probe_due(now)]
    return ScopeGate(0, rest_until=min([*ends, now + SCOPE_REST]))


def plan_sends(
    candidates: Sequence[Candidate],
    now: datetime,
    *,
    limits: SendLimits,
    number: NumberPace,
    pairs: Mapping[int, PairPace],
    gate: ScopeGate,
) -> SendPlan:
    """Choose the messages to send now, the oldest first, and say when the others are looked at again.

    A message whose customer may not be written to yet is put off until then. One that the number's pace or a scope
    holds back keeps its place before those that came later, and the whole queue rests.

    A suspect message may itself be the reason why Meta refused it: it is no probe while there are others, and is
    claimed after them.
    """
    number = number.as_of(limits.per_second, now)
    pace = number.pace(limits.per_second, now)
    free = pace.allowed(number.full_at, now)
    plan = SendPlan(number, rest_until=gate.rest_until)
    has_more = _grant(plan, candidates, now, limit=free, limits=limits, pairs=pairs, gate=gate)
    if plan.granted:
        plan.number = replace(number, full_at=pace.after(number.full_at, now, len(plan.granted)))
    if has_more and len(plan.granted) == free:
        plan.rest_until = max(plan.rest_until or now, _enough_at(plan.number, limits, pace) or now)
    return plan


def _grant(
    plan: SendPlan,
    candidates: Sequence[Candidate],
    now: datetime,
    *,
    limit: int,
    limits: SendLimits,
    pairs: Mapping[int, PairPace],
    gate: ScopeGate,
) -> bool:
    """Grant or hand back each candidate. Return whether the `limit` or the gate holds one back."""
    is_gated = gate.limit is not None
    limit = limit if gate.limit is None else min(limit, gate.limit)
    has_more = False
    for one in sorted(candidates, key=lambda one: (is_gated and one.is_suspect, one.created_at, one.job_id)):
        pair = plan.pairs.get(one.contact, pairs[one.contact]).as_of(limits.pair, now)
        free_at = pair.free_at(limits.pair, now)
        if free_at > now:
            plan.back[one.job_id] = min(free_at, one.expires_at, now + MAX_HELD_BACK)
        elif len(plan.granted) < limit:
            plan.granted.append(one.job_id)
            plan.pairs[one.contact] = pair.sent(limits.pair, now)
        else:
            plan.back[one.job_id], has_more = now if is_gated and one.is_suspect else one.created_at, True
    return has_more


def _enough_at(number: NumberPace, limits: SendLimits, pace: Pace) -> datetime | None:
    """Return when the number's pace allows a batch again."""
    return pace.free_at(number.full_at, min(limits.batch, pace.burst))
