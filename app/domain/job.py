"""A job: work that waits in a queue, and how one attempt at it may end."""

from dataclasses import dataclass
from datetime import timedelta

SPLIT_QUEUE = "split"
PRUNE_QUEUE = "prune"
DELIVER_QUEUE = "deliver:"
SINGLETON_QUEUES = (SPLIT_QUEUE, PRUNE_QUEUE)
"""A queue holds jobs that wait for the same thing. Each destination has one, named by this prefix and its name.
The status queues hold one job each that never ends: it is claimed when there is something to do."""


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
