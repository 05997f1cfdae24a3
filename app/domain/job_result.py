"""The result of one attempt at a job: what the store records of it in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from app.domain.job import Job, Outcome


@dataclass(frozen=True)
class Attempt:
    """One POST: when it began, the answer's status or what went wrong, and how long it took.

    `answer`: the beginning of the body of an answer that was no 2xx. It is never logged.
    """

    at: datetime
    status: int | None
    error: str | None
    duration_ms: int
    answer: str | None = field(default=None, repr=False)


class QueueSignal(Enum):
    """The result of an attempt for its queue: none, the queue works, it fails for now, or it is gone.

    `REFUSAL`: only this job was refused; but a queue that refuses every one fails too.
    """

    NONE = "none"
    SUCCESS = "success"
    FAILURE = "failure"
    GONE = "gone"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class JobResult:
    """The result of one attempt. `attempt` is the POST that was made, if any.

    `retry_after` is the delay that the other side asked for; it applies to the whole queue. `max_in_flight` is the
    queue's limit, up to which a breaker that drains may go.
    """

    job: Job
    outcome: Outcome
    attempt: Attempt | None = None
    signal: QueueSignal = QueueSignal.NONE
    retry_after: timedelta | None = None
    max_in_flight: int = 1

    @property
    def outlives_claim(self) -> bool:
        """Whether the result is recorded also when another worker has taken the job over. It then changes no job."""
        return False
