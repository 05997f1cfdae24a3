"""A job: work that waits in a queue, and how one attempt at it may end."""

from dataclasses import dataclass
from datetime import timedelta

SPLIT_QUEUE = "split"
PRUNE_QUEUE = "prune"
DELIVER_KIND = "deliver"
DELIVER_QUEUE = f"{DELIVER_KIND}:"
"""The prefix of a destination's queue; the destination's name follows."""

SINGLETON_QUEUES = (SPLIT_QUEUE, PRUNE_QUEUE)
"""Queues with one job each that is never deleted: it is claimed when there is something to do."""


@dataclass(frozen=True)
class Job:
    """A claimed job. `subject` is the row it is about; `attempts`, how many tries have ended.

    `claim_id` is the fence: whoever settles must still hold the claim that it names.
    """

    id: int
    queue: str
    subject: int
    attempts: int
    claim_id: int


@dataclass(frozen=True)
class Done:
    """It is done; the job goes."""


@dataclass(frozen=True)
class Retry:
    """It is to be tried again after so long."""

    delay: timedelta


@dataclass(frozen=True)
class Dead:
    """It is given up, because; a human may put it back."""

    reason: str


Outcome = Done | Retry | Dead


def kind_of_queue(name: str) -> str:
    """Return the part of a queue's name before the colon: `deliver` for `deliver:crm`, `split` for `split`."""
    return name.partition(":")[0]
