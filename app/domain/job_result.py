"""How a try of a job ended, for the store to write down at once: job, delivery record, state of the queue."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from app.domain.delivery import Attempt
from app.domain.job import Job, Outcome


class QueueSignal(Enum):
    """What a try tells about the queue: nothing, that it works, that it fails for now, or that it is gone for good."""

    NONE = "none"
    SUCCESS = "success"
    FAILURE = "failure"
    GONE = "gone"


@dataclass(frozen=True)
class JobResult:
    """The end of one try. `attempt`: the POST that was made, if one was. `max_in_flight`: the queue's jobs in flight at best.

    `retry_after` is what the other side asked for; it holds up the whole queue.
    """

    job: Job
    outcome: Outcome
    attempt: Attempt | None = None
    signal: QueueSignal = QueueSignal.NONE
    retry_after: timedelta | None = None
    max_in_flight: int = 1
