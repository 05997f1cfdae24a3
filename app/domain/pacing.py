"""How fast messages may be sent for a number, and to one customer of a number. Values only; the database keeps them.

Each pace is a GCRA (ITU-T I.371): a token bucket that is stored as the time at which it will be full. A message
moves this time on by one interval, and may be sent while the time is less than the burst ahead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.clock import is_too_far_ahead

NUMBER_BURST = timedelta(seconds=0.5)
"""How much a number may catch up on. A worker that comes late by less loses nothing of the pace, and over a minute
the burst is less than one per cent.

Within one second a number may so send one and a half times its rate. With no burst at all, each delay of a worker
would slow the number down for good. Meta documents no bucket for its limit; that of a second's messages is kept."""

LOWEST_SHARE = 1 / 64
RECOVERY_PER_SECOND = 0.1
HALVING_PAUSE = timedelta(seconds=1)
"""Refusals that come together are one: what was sent before the pace was halved says nothing about the new one."""

PAIR_FACTOR = 4
MAX_PAIR_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Pace:
    """`interval`: between two messages in the long run. `burst`: how many may be sent at once after a rest."""

    interval: timedelta
    burst: int

    def free_at(self, full_at: datetime | None, count: int = 1) -> datetime | None:
        """Return when this many messages may be sent at once; None if no message was sent yet."""
        return None if full_at is None else full_at - self.interval * (self.burst - count)

    def allowed(self, full_at: datetime | None, now: datetime) -> int:
        """Return how many messages may be sent now."""
        if full_at is None or full_at <= now:
            return self.burst
        return max(0, (now + self.interval * self.burst - full_at) // self.interval)

    def after(self, full_at: datetime | None, now: datetime, sent: int) -> datetime:
        """Return when the bucket is full again once this many messages were sent."""
        return max(full_at or now, now) + self.interval * sent

    def is_possible(self, full_at: datetime | None, now: datetime) -> bool:
        """Return whether this time is within the bucket's limit. A later one was stored by a clock that was ahead."""
        return full_at is None or not is_too_far_ahead(full_at, now + self.interval * self.burst)


@dataclass(frozen=True)
class NumberPace:
    """The pace of one number: the share of its rate that Meta takes at present, and when it was halved last."""

    full_at: datetime | None = None
    share: float = 1.0
    slowed_at: datetime | None = None

    def as_of(self, per_second: float, now: datetime) -> "NumberPace":
        """Return the pace without times that were stored by a clock that was ahead."""
        slowest = pace_of_rate(per_second * LOWEST_SHARE)
        full_at = self.full_at if slowest.is_possible(self.full_at, now) else None
        return replace(self, full_at=full_at, slowed_at=self.slowed_at and min(self.slowed_at, now))

    def share_at(self, now: datetime) -> float:
        """Return the share of the rate that is used now: each second a tenth of the rate is added."""
        if self.slowed_at is None:
            return 1.0
        seconds = max(timedelta(), now - self.slowed_at).total_seconds()
        return min(1.0, self.share + RECOVERY_PER_SECOND * seconds)

    def pace(self, per_second: float, now: datetime) -> Pace:
        """Return the pace that holds now."""
        return pace_of_rate(per_second * self.share_at(now))

    def slowed(self, now: datetime) -> "NumberPace":
        """Return the pace after Meta has refused a message for the number's rate: half of the present one."""
        if self.slowed_at is not None and now < self.slowed_at + HALVING_PAUSE:
            return self
        return replace(self, share=max(LOWEST_SHARE, self.share_at(now) / 2), slowed_at=now)


def pace_of_rate(per_second: float) -> Pace:
    """Return the pace of a number that sends this many messages a second.

    One more than what falls due within the burst: a worker that comes late by all of it still finds room for the part
    of an interval that had passed when it came last.
    """
    interval = timedelta(seconds=1 / per_second)
    return Pace(interval, -(-NUMBER_BURST // interval) + 1)


@dataclass(frozen=True)
class PairPace:
    """The pace of one customer of a number. `refusals`: how often in a row Meta has refused it for its pace."""

    full_at: datetime | None = None
    refusals: int = 0
    paused_until: datetime | None = None

    def as_of(self, pace: Pace, now: datetime) -> "PairPace":
        """Return the pace without times that were stored by a clock that was ahead."""
        longest = now + pair_pause(self.refusals)
        is_void = self.paused_until is not None and is_too_far_ahead(self.paused_until, longest)
        return replace(
            self,
            full_at=self.full_at if pace.is_possible(self.full_at, now) else None,
            paused_until=None if is_void else self.paused_until,
        )

    def free_at(self, pace: Pace, now: datetime) -> datetime:
        """Return when the next message to this customer may be sent; not before now."""
        return max(now, self.paused_until or now, pace.free_at(self.full_at) or now)

    def sent(self, pace: Pace, now: datetime) -> "PairPace":
        """Return the pace after one more message was sent."""
        return replace(self, full_at=pace.after(self.full_at, now, 1))

    def joined(self, other: "PairPace") -> "PairPace":
        """Return the pace of a customer to whom messages were also sent under another name, at the pace of that name.

        Of two pauses the later one holds, with its refusals.
        """
        times = [at for at in (self.full_at, other.full_at) if at is not None]
        pauses = [pace for pace in (self, other) if pace.paused_until is not None]
        last = max(pauses, key=lambda pace: pace.paused_until, default=self)  # type: ignore[arg-type,return-value]
        return replace(last, full_at=max(times, default=None))

    def refused(self, now: datetime) -> "PairPace":
        """Return the pace after one more refusal."""
        refusals = self.refusals + 1
        return replace(self, refusals=refusals, paused_until=now + pair_pause(refusals))

    def accepted(self) -> "PairPace":
        """Return the pace after Meta has taken a message: refusals are counted anew."""
        return self if self.refusals == 0 else replace(self, refusals=0, paused_until=None)


def pair_pause(refusals: int) -> timedelta:
    """Return the pause of a customer after this many refusals in a row: 4^n seconds. Source: Meta, error 131056."""
    return min(timedelta(seconds=PAIR_FACTOR ** min(refusals, 10)), MAX_PAIR_PAUSE)
