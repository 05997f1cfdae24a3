"""A job: work that waits in the corridor, and how one try of it may end."""

from dataclasses import dataclass
from datetime import timedelta

SPLIT_LANE = "split"
PRUNE_LANE = "prune"
DELIVER_LANE = "deliver:"
STANDING_LANES = (SPLIT_LANE, PRUNE_LANE)
"""A lane holds jobs that wait for the same thing. Each destination has one, named by this prefix and its name.
The standing lanes hold one job each that never ends: it is claimed when there is something to do."""


@dataclass(frozen=True)
class Job:
    """A claimed job. `subject` is the row it is about; `attempts`, how many tries have ended.

    `claim_id` is the fence: whoever settles must still hold the claim that it names.
    """

    id: int
    lane: str
    subject: int
    attempts: int
    claim_id: int


@dataclass(frozen=True)
class Done:
    """It is done; the job goes."""


@dataclass(frozen=True)
class Again:
    """It is to be tried again after so long."""

    after: timedelta


@dataclass(frozen=True)
class Dead:
    """It is given up, because; a human may put it back."""

    reason: str


Outcome = Done | Again | Dead
