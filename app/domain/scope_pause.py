"""A scope in which nothing is sent for a while: all numbers of the app, an account, or one number.

A refusal pauses its scope, and the messages stay in their queues. When the pause ends, one message is sent as a
probe: if Meta accepts it the pause is over, if not it begins again, perhaps for longer.

Where Meta accepts messages and fails them later, by statuses, an acceptance proves little. Such a scope goes on step
by step: a few messages, a minute without a failure, then more. If it is an account that was stopped, each step costs
messages, so that a human begins the first one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.clock import CLOCK_TOLERANCE
from app.domain.meta.graph_error_table import TOKEN_SETTING, hint_of
from app.domain.meta.graph_errors import ErrorClass, ErrorScope

APP_SCOPE = "app"
PROBE_EVERY = timedelta(minutes=5)
PROBE_LEASE = timedelta(minutes=1)
"""How long the answer to a probe is waited for; then another message is the probe."""

COOLING = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))
FIRST_THROTTLE, MAX_THROTTLE = timedelta(seconds=30), timedelta(hours=1)
MAX_PAUSE = COOLING[-1]

STEPS = (1, 10, 100)
"""The most messages that are sent in each step, before all go on. A step ends `PROBE_LEASE` after it began."""

QUIET = timedelta(minutes=10)
"""A scope in which nothing has failed for this long after a step goes on: there was no message for the next one."""

RELAPSE = MAX_PAUSE
"""A scope that has to cool down again within this time does so for longer."""

STALE = timedelta(hours=1)
"""A refusal that a webhook reports this late says little of now: after an outage Meta repeats webhooks for days."""


@dataclass(frozen=True)
class Refusal:
    """Why a scope is to be paused: class and code of the error, what Meta said, and the delay that was asked for.

    `is_late`: Meta had accepted the message, and reported the error by a status; `is_stale`: long ago.
    """

    error_class: ErrorClass
    scope: ErrorScope
    code: int
    reason: str
    delay: timedelta = timedelta()
    is_late: bool = False
    is_stale: bool = False

    @property
    def is_stepwise(self) -> bool:
        """Whether Meta may accept messages and fail them later, so that the scope goes on step by step."""
        return self.error_class is ErrorClass.COOLED or (self.is_late and self.error_class is ErrorClass.STOPPED)

    @property
    def is_until_resumed(self) -> bool:
        """Whether no time ends the pause: a probe would cost a message, or only a webhook says that it is over."""
        is_final = self.error_class in (ErrorClass.REQUEST, ErrorClass.RECIPIENT)
        return is_final or (self.is_late and self.error_class is ErrorClass.STOPPED)


@dataclass(frozen=True)
class ScopePause:
    """A scope that is paused. `since`: the last refusal. `until`: the next probe; None: a human ends the pause.

    `trips`: how often it was refused since it worked last; 0: the pause ended at `since`. It is kept so that
    what was refused before does not begin it again. `is_logged`: the log has it.
    `refused_at`: when Meta refused last; by Meta's clock if a webhook says it: webhooks come late and in any order.
    `steps`: how many steps were accepted, of a pause that ends step by step; None: one answer ends it.
    `last_trips`: the trips of the last pause, once it is over.
    """

    name: str
    error_class: ErrorClass
    code: int
    reason: str
    since: datetime
    until: datetime | None
    trips: int
    is_logged: bool = False
    refused_at: datetime | None = None
    steps: int | None = None
    last_trips: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the scope is paused no more."""
        return self.trips == 0

    @property
    def may_work(self) -> bool:
        """Whether nothing is known to be wrong now: a human has resumed the account, or what Meta said is old."""
        return self.error_class is ErrorClass.STOPPED and self.steps is not None and self.until is not None

    @property
    def batch(self) -> int:
        """Return how many messages may be sent as its probe."""
        return STEPS[min(self.steps or 0, len(STEPS) - 1)]

    def as_of(self, now: datetime) -> "ScopePause":
        """Return the pause now: over if nothing has failed in all steps, or for long after one."""
        if self.is_over or self.until is None or not self.steps:
            return self
        ends_at = self.until + (QUIET if self.steps < len(STEPS) else timedelta())
        return self.ended(ends_at) if ends_at <= now else self

    def cure(self, token_variable: str | None = None) -> str | None:
        """Return the cure; None if it is not known, or is in the reason.

        It is looked up and not stored, so that it is whole beside a long text of Meta's. `token_variable`: what holds
        the access token.
        """
        hint = hint_of(self.code, self.error_class)
        if hint is None or hint in self.reason:
            return None
        return hint if token_variable is None else hint.replace(TOKEN_SETTING, f"{TOKEN_SETTING} ({token_variable})")

    def explained(self, token_variable: str | None = None) -> str:
        """Return Meta's reason and the cure."""
        cure = self.cure(token_variable)
        return self.reason if cure is None else f"{self.reason}; {cure}"

    def holds(self, now: datetime) -> bool:
        """Return whether it still holds messages back, if it is a scope of their content."""
        return not self.is_over and (self.until is None or self.until > now)

    def ended(self, at: datetime) -> "ScopePause":
        """Return the pause once it is over."""
        last_trips = self.last_trips if self.is_over else self.trips
        return replace(self, since=at, until=at, trips=0, is_logged=False, steps=None, last_trips=last_trips)

    def resumed(self, at: datetime) -> "ScopePause":
        """Return the pause after a human's word: over, or with its first step due now."""
        return self.ended(at) if self.steps is None else replace(self, since=at, until=at, steps=0)

    def worked(self, probe: "ScopePause", at: datetime) -> "ScopePause":
        """Return the pause after Meta has accepted a message that was sent as the `probe` of it.

        It changes nothing if Meta has refused another message meanwhile.
        """
        if self.is_over or (self.since, self.trips) != (probe.since, probe.trips):
            return self
        if self.steps is None:
            return self.ended(at)
        return replace(self, steps=max(self.steps, (probe.steps or 0) + 1))

    def reinstated(self, at: datetime) -> "ScopePause":
        """Return the pause once Meta has said that it is over since `at`. It changes nothing if Meta
        has refused again after `at`.
        """
        if self.is_over:
            return self.ended(max(self.since, at))
        return self if self.refused_at is not None and at < self.refused_at else self.ended(at)

    def refused_again(self, at: datetime) -> "ScopePause":
        """Return the pause after a refusal of this time that makes it no longer."""
        return self if self.is_over else replace(self, refused_at=max(self.refused_at or at, at))

    def is_probe_due(self, now: datetime) -> bool:
        """Return whether a message may be sent as a probe. A time too far ahead was set by a clock that was wrong."""
        return self.until is not None and (self.until <= now or self.until > now + MAX_PAUSE + PROBE_EVERY)

    def due_at(self, now: datetime) -> "ScopePause":
        """Return the pause with its next probe due now."""
        return replace(self, until=now)

    def probing(self, now: datetime) -> "ScopePause":
        """Return the pause while a probe is being sent."""
        return replace(self, until=now + PROBE_LEASE)


def scope_name(scope: ErrorScope, phone_number_id: str, waba_id: str | None) -> str | None:
    """Return the name of the scope of a number; None for a scope that is never paused as a whole.

    Where the account is not known yet, its refusals pause the number: the others learn by their own.
    """
    if scope is ErrorScope.APP:
        return APP_SCOPE
    if scope is ErrorScope.WABA and waba_id is not None:
        return f"waba:{waba_id}"
    return f"number:{phone_number_id}" if scope in (ErrorScope.WABA, ErrorScope.NUMBER) else None


def scopes_of(phone_number_id: str, waba_id: str | None) -> list[str]:
    """Return the names of all scopes that a number belongs to, in their order."""
    scopes = (ErrorScope.APP, ErrorScope.WABA, ErrorScope.NUMBER)
    return sorted({name for scope in scopes if (name := scope_name(scope, phone_number_id, waba_id)) is not None})


def pause_after(
    pause: ScopePause | None, name: str, refusal: Refusal, now: datetime, sent_at: datetime
) -> ScopePause:
    """Return the pause of a scope after a refusal of a message that was sent at `sent_at`.

    What was sent before the pause began or ended proves nothing new. A pause that ends by hand only stays as it is.
    Where a stale refusal begins a pause, the first step is due now: it shows whether it still holds.
    """
    refused_at = min(sent_at, now)
    pause = None if pause is None else pause.as_of(now)
    if pause is not None and _changes_nothing(pause, refusal, now, sent_at):
        return pause.refused_again(refused_at)
    trips = _trips_after(pause, refusal, now)
    until = None if refusal.is_until_resumed else now + _length(refusal, trips)
    if refusal.is_stale and refusal.is_stepwise:
        until = now
    steps = 0 if refusal.is_stepwise else None
    is_logged = pause is not None and pause.is_logged and pause.code == refusal.code
    return ScopePause(
        name, refusal.error_class, refusal.code, refusal.reason, now, until, trips, is_logged, refused_at, steps
    )


def _changes_nothing(pause: ScopePause, refusal: Refusal, now: datetime, sent_at: datetime) -> bool:
    is_stale = refusal.is_stale and not pause.is_over
    return pause.until is None or is_stale or sent_at <= pause.since <= now + CLOCK_TOLERANCE


def _trips_after(pause: ScopePause | None, refusal: Refusal, now: datetime) -> int:
    if pause is None or pause.error_class is not refusal.error_class:
        return 1
    if not pause.is_over:
        return pause.trips + 1
    is_relapse = refusal.error_class is ErrorClass.COOLED and now - pause.since < RELAPSE
    return (pause.last_trips or 0) + 1 if is_relapse else 1


def _length(refusal: Refusal, trips: int) -> timedelta:
    if refusal.error_class is ErrorClass.PARKED:
        return refusal.delay
    if refusal.error_class is ErrorClass.STOPPED:
        return PROBE_EVERY
    if refusal.error_class is ErrorClass.COOLED:
        return min(max(COOLING[min(trips, len(COOLING)) - 1], refusal.delay), MAX_PAUSE)
    throttle: timedelta = FIRST_THROTTLE * 2 ** min(trips - 1, 10)
    return min(max(throttle, refusal.delay), MAX_THROTTLE)
