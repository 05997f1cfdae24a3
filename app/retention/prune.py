"""Prune: a singleton job that deletes what is older than `retention.days`, and then what older code has left.

It works in short transactions. After each one the job sleeps at least as long as it took, so that other writers get
their turn.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import gevent

from app.domain.job import PRUNE_EVERY, Job, Retry
from app.domain.pacing import MAX_PAIR_PAUSE
from app.gateway import Gateway
from app.store import EarlyStatusesKept, PruneStep, StoreError, StoreUnavailable
from app.store.media_folder import FolderUnusable

log = logging.getLogger(__name__)

RUN_SECONDS = 2.0
CLEAN_EVERY = timedelta(days=1)
DOUBTED_EVERY = timedelta(minutes=10)
MIN_SLEEP_SECONDS = 0.005

EARLY_STATUSES_KEPT = timedelta(hours=1)
"""The answer with the wamid of a status's message comes within a minute."""

EARLY_STATUSES_OF_UNKNOWN_KEPT = timedelta(days=7)
"""It comes later if its worker was suspended: the message is `unknown` until then, unless a human decides."""

MAX_EARLY_STATUSES = 10_000
"""How many statuses of a number may wait longer than an hour: another application may send by it all the time."""

Sleep = Callable[[float], object]


class PruneRun:
    """One run through everything older than `before`: table by table, each from its oldest row on."""

    def __init__(self, before: datetime) -> None:
        self.before = before
        self.stages = [
            "receipts",
            "events",
            "erased_events",
            "files",
            "lone_names",
            "messages",
            "early_statuses",
            "keys",
            "pairs",
            "conversations",
            "scopes",
            "links",
            "free_pages",
            "gaps",
        ]
        self.after = 0
        self.deleted: Counter[str] = Counter()

    def record(self, step: PruneStep) -> None:
        """Add up what a step deleted (for free pages: one for each step), and move on to the next row or stage."""
        self.deleted[self.stages[0]] += step.deleted
        self.after = step.next or 0
        if step.next is None:
            del self.stages[0]


class Pruner:
    """The handler of the prune job. Its progress is in memory: another process that claims the job starts anew."""

    def __init__(self, gateway: Gateway, *, sleep: Sleep = gevent.sleep, run_seconds: float = RUN_SECONDS) -> None:
        self._gateway = gateway
        self._sleep = sleep
        self._run_seconds = run_seconds
        self._run: PruneRun | None = None
        self._cleaned_at: datetime | None = None

    def prune(self, job: Job) -> Retry:  # noqa: ARG002 - the singleton job has no payload
        """Prune for at most `run_seconds`. Continue at once while old rows remain, else again in an hour.

        While the clock is doubted, nothing counts as old.
        """
        if not self._gateway.store.clock.is_trusted():
            self._run = None
            return Retry(DOUBTED_EVERY)
        run = self._run = self._run or PruneRun(self._gateway.clock() - self._retention)
        deadline = time.monotonic() + self._run_seconds
        while run.stages:
            started = time.monotonic()
            if started >= deadline:
                return Retry(timedelta())
            run.record(self._step(run))
            self._sleep(max(MIN_SLEEP_SECONDS, time.monotonic() - started))
        self._run = None
        if run.deleted.total():
            self._gateway.store.retention.empty_log()
        fields = {
            "receipts": run.deleted["receipts"],
            "events": run.deleted["events"],
            "erased_events": run.deleted["erased_events"],
            "messages": run.deleted["messages"],
            "files": run.deleted["files"],
        }
        log.info("retention.pruned", extra=fields)
        return Retry(PRUNE_EVERY)

    @property
    def _retention(self) -> timedelta:
        return timedelta(days=self._gateway.settings.retention_days)

    def _step(self, run: PruneRun) -> PruneStep:
        retention = self._gateway.store.retention
        match run.stages[0]:
            case "receipts":
                return retention.prune_receipts(before=run.before, after=run.after)
            case "events":
                names = {destination.name for destination in self._gateway.settings.destinations}
                return retention.prune_events(before=run.before, after=run.after, destinations=names)
            case "erased_events":
                return retention.prune_erased_events(before=run.before)
            case "files":
                return PruneStep(self._remove_files(), None)
            case "lone_names":
                return retention.prune_lone_names(after=run.after)
            case "free_pages" | "gaps" as stage:
                return self._clean_some(run, stage)
            case stage:
                return self._prune_messages(stage, run)

    def _remove_files(self) -> int:
        """Remove the files of deleted events, and what killed processes have left. The next run tries again."""
        store, folder = self._gateway.store, self._gateway.media_folder
        if self._gateway.settings.media.fetch_on_arrival:
            store.media_marks.look(folder)
        try:
            return store.media.remove_deleted(folder) + folder.sweep(store.media.known)
        except FolderUnusable as unusable:
            log.warning("media.not_removed", extra={"reason": str(unusable)})
            return 0

    def _prune_messages(self, stage: str, run: PruneRun) -> PruneStep:
        retention = self._gateway.store.message_retention
        now, sending = self._gateway.clock(), self._gateway.settings.sending
        match stage:
            case "messages":
                return retention.prune_messages(before=run.before, after=run.after)
            case "early_statuses":
                before, longest = now - EARLY_STATUSES_KEPT, now - EARLY_STATUSES_OF_UNKNOWN_KEPT
                kept = EarlyStatusesKept(before, longest, MAX_EARLY_STATUSES)
                return retention.prune_early_statuses(kept, after=run.after)
            case "keys":
                return retention.prune_keys(before=now - timedelta(days=sending.idempotency_days))
            case "pairs":
                return retention.prune_pairs(before=now - MAX_PAIR_PAUSE)
            case "conversations":
                return retention.prune_conversations(before=run.before)
            case "scopes":
                return retention.prune_scopes(now=now, before=run.before, after=run.after)
            case _:
                return retention.prune_links()

    def _clean_some(self, run: PruneRun, stage: str) -> PruneStep:
        """Clean some pages of a SQLite file. A failure ends the stage, so that it keeps no later run from pruning."""
        try:
            return self._wipe_some(run) if stage == "free_pages" else self._clean_gaps(run)
        except StoreError as error:
            log.warning("store.not_wiped", extra={"reason": self._gateway.store.explain(error)})
        return PruneStep(0, None)

    def _wipe_some(self, run: PruneRun) -> PruneStep:
        if self._gateway.store.upkeep.wipe_free_pages():
            return PruneStep(1, 1)
        if run.deleted["free_pages"]:
            log.info("store.wiped")
        return PruneStep(0, None)

    def _clean_gaps(self, run: PruneRun) -> PruneStep:
        """Clean the gaps of some pages, once a day: it reads the whole file."""
        now = self._gateway.clock()
        if self._cleaned_at is not None and now - self._cleaned_at < CLEAN_EVERY:
            return PruneStep(0, None)
        position = self._gateway.store.upkeep.clean_gaps()
        if position is None:
            self._cleaned_at = now
            return PruneStep(0, None)
        if position == run.after:
            raise StoreUnavailable("a reader still uses an older state of the database")
        return PruneStep(1, position)
