"""Pruning: the singleton job that takes away what is older than `retention.days`, in small steps with rests between.

It is in nobody's way: each step is one short transaction, and after it everybody else has as long again.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import gevent

from app.domain.job import Job, Retry
from app.gateway import Gateway
from app.store import PruneStep

log = logging.getLogger(__name__)

RUN_SECONDS = 2.0
MIN_REST_SECONDS = 0.005
PAUSE = timedelta(hours=1)

Sleep = Callable[[float], object]


class PruneRun:
    """One way through everything that is older than a moment: stage by stage, each from its oldest row on."""

    def __init__(self, before: datetime) -> None:
        self.before = before
        self.stages = ["receipts", "events", "forgotten"]
        self.after = 0
        self.removed: Counter[str] = Counter()

    def note(self, step: PruneStep) -> None:
        """Remember what a step took away, and where the next one goes on."""
        self.removed[self.stages[0]] += step.removed
        self.after = step.next or 0
        if step.next is None:
            del self.stages[0]


class Pruning:
    """How far a pass is, only this process knows: another one that takes the job begins a pass of its own."""

    def __init__(self, gateway: Gateway, *, rest: Sleep = gevent.sleep, run_seconds: float = RUN_SECONDS) -> None:
        self._gateway = gateway
        self._rest = rest
        self._run_seconds = run_seconds
        self._pass: PruneRun | None = None

    def prune(self, job: Job) -> Retry:  # noqa: ARG002 - there is one such job, and it is about everything
        """Prune for a short while; at once again while there is more, after an hour when the pass is through."""
        going = self._pass = self._pass or PruneRun(self._gateway.clock() - self._kept_for)
        until = time.monotonic() + self._run_seconds
        while going.stages:
            began = time.monotonic()
            if began >= until:
                return Retry(timedelta())
            going.note(self._step(going))
            self._rest(max(MIN_REST_SECONDS, time.monotonic() - began))
        self._pass = None
        removed = going.removed
        facts = {"receipts": removed["receipts"], "events": removed["events"], "forgotten": removed["forgotten"]}
        log.info("retention.pruned", extra=facts)
        return Retry(PAUSE)

    @property
    def _kept_for(self) -> timedelta:
        return timedelta(days=self._gateway.settings.retention_days)

    def _step(self, going: PruneRun) -> PruneStep:
        retention = self._gateway.store.retention
        match going.stages[0]:
            case "receipts":
                return retention.prune_receipts(before=going.before, after=going.after)
            case "events":
                names = {destination.name for destination in self._gateway.settings.destinations}
                return retention.prune_events(before=going.before, after=going.after, destinations=names)
            case _:
                return retention.prune_forgotten(before=going.before)
