"""A job: work that waits in a queue, and how one attempt at it may end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SPLIT_QUEUE = "split"
PRUNE_QUEUE = "prune"
WATCH_QUEUE = "watch"
RECONCILE_QUEUE = "reconcile"
TOKEN_QUEUE = "token"  # noqa: S105 - a queue
DELIVER_KIND = "deliver"
DELIVER_QUEUE = f"{DELIVER_KIND}:"
"""The prefix of a destination's queue; the destination's name follows."""

FAKE_META_QUEUE = "fake-meta"
"""The webhooks of the fake Meta, in a dry-run."""

FAKE_META_DELAY = timedelta(minutes=5)
"""How long one of them waits at most."""

PRUNE_EVERY = timedelta(hours=1)
WATCH_EVERY = timedelta(seconds=10)
RECONCILE_MAX_WAIT = timedelta(hours=1)
TOKEN_MAX_WAIT = timedelta(minutes=15)

SINGLETON_QUEUES = (SPLIT_QUEUE, PRUNE_QUEUE, WATCH_QUEUE, RECONCILE_QUEUE, TOKEN_QUEUE)
"""Queues with one job each that is never deleted: it is claimed when there is something to do."""

SLOT_BITS = 32
"""The lower half of a `claim_id` is different for each claim; the upper half is the number of a slot."""


@dataclass(frozen=True)
class Job:
    """A claimed job. `subject`: the row that it is about. `attempts`: how many have ended.

    `claim_id` is the fence: a result is applied only while the job still has this claim. `due_at`: when the job was
    due before it was claimed. `held_by`: the paused scope that has held its message back.
    """

    id: int
    queue: str
    subject: int
    attempts: int
    claim_id: int
    due_at: datetime | None = None
    held_by: str | None = None

    @property
    def slot(self) -> int:
        """The slot that the job was claimed for. The jobs of a slot are handled one after the other."""
        return self.claim_id >> SLOT_BITS


@dataclass(frozen=True)
class Done:
    """The job is done, and deleted."""


@dataclass(frozen=True)
class Retry:
    """The job is attempted again after this delay. Unless it `keeps_order`, those behind it do not wait for it.

    `held_by`: a paused scope; when that goes on, so does the job.
    """

    delay: timedelta
    keeps_order: bool = True
    held_by: str | None = None


@dataclass(frozen=True)
class Dead:
    """The job is given up, and deleted. Its delivery is a dead letter, which a human can replay."""

    reason: str


Outcome = Done | Retry | Dead


def kind_of_queue(name: str) -> str:
    """Return the part of a queue's name before the colon: `deliver` for `deliver:crm`, `split` for `split`."""
    return name.partition(":")[0]
