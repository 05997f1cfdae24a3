"""Messages that are queued, reserved and settled as workers do it, with the answers that a test gives."""

from datetime import timedelta
from typing import Any

from app.domain.job_result import JobResult
from app.domain.message import Message, queue_of_number
from app.domain.meta.graph_errors import graph_error
from app.domain.pacing import Pace
from app.domain.send_answer import Accepted, Refused, SendAnswer
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import SendResult, outcome_of_send
from app.store import Store
from app.store.transactions.reserve_sends import Reservations
from tests.support.envelopes import WABA
from tests.support.messages import NUMBER, accept, new_message
from tests.support.work import claim

QUEUE = queue_of_number(NUMBER)
LIMITS = SendLimits(80, Pace(timedelta(seconds=6), 45), "warn", WABA)

_people = iter(range(4915100000000, 4915199999999))


def queued(store: Store, count: int = 1, **how: Any) -> list[Message]:
    """Accept messages, each to another customer."""
    return accept(store, *(new_message(to=f"+{next(_people)}", **how) for _ in range(count)))


def reserve(store: Store, limits: SendLimits = LIMITS, *, queue: str = QUEUE) -> Reservations:
    """Claim what can be claimed now, and reserve of it what may be sent."""
    claimed = claim(store, queue, max_in_flight=1000, limit=1000)
    return store.sending.reserve(claimed, limits) if claimed else Reservations()


def settle(store: Store, reservations: Reservations, *answers: SendAnswer) -> list[bool]:
    """Settle what was reserved as if Meta had answered so, the last answer again and again."""
    results: list[JobResult] = [
        SendResult(ended.job, ended.outcome.job, send=ended.outcome) for ended in reservations.ended
    ]
    for number, (job, reserved) in enumerate(reservations.reserved):
        answer = answers[min(number, len(answers) - 1)]
        outcome = outcome_of_send(answer, reserved.message, store.clock.now(), lambda: 0.5, fault=reserved.fault)
        results.append(
            SendResult(
                job,
                outcome.job_of(reserved),
                signal=outcome.signal,
                max_in_flight=1000,
                send=outcome,
                reserved=reserved,
            )
        )
    return store.jobs.settle(results)


def send(store: Store, *answers: SendAnswer, limits: SendLimits = LIMITS) -> int:
    """Reserve and settle once. Return how many messages left."""
    reservations = reserve(store, limits)
    settle(store, reservations, *answers)
    return len(reservations.reserved)


def accepted(wamid: str = "wamid.A=") -> Accepted:
    return Accepted(wamid)


def refused(code: int, *, subcode: int | None = None, delay: timedelta | None = None) -> Refused:
    return Refused(graph_error({"code": code, "error_subcode": subcode, "message": "said"}), 400, delay)


def stored(store: Store, message: Message) -> Message:
    found = store.messages.get(message.id)
    assert found is not None
    return found


def waiting(store: Store) -> int:
    """How many messages have a job."""
    return sum(depth.waiting + depth.in_flight for depth in store.jobs.depths() if depth.queue == QUEUE)
