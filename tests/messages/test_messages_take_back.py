"""What a sender has reserved and not begun to post is taken back; what it has begun to post is not."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from app.domain.job import Job
from app.domain.send_answer import GIVEN_UP, Accepted, SendAnswer
from app.domain.send_outcome import SendResult
from app.log.contact_label import ContactLabel
from app.messages.send import Sender
from app.metrics import Metrics
from app.store import Store, StoreUnavailable
from app.tracing import Tracing
from tests.support.sends import LIMITS, QUEUE, queued, stored
from tests.support.store import StoreMaker
from tests.support.work import claim

LABEL = ContactLabel("hashed", "")


class Graph:
    """Takes a message if it may be written, and fails before or after that if it is told so."""

    fails_before = fails_after = False

    def send(self, number: str, endpoint: str, body: bytes, may_still_write: Callable[[], bool]) -> SendAnswer:
        if self.fails_before:
            raise ZeroDivisionError
        if not may_still_write():
            return GIVEN_UP
        if self.fails_after:
            raise ZeroDivisionError
        return Accepted("wamid.A=")


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def lost() -> set[int]:
    """The jobs whose claims are lost."""
    return set()


@pytest.fixture
def sender(store: Store, graph: Graph, lost: set[int]) -> Sender:
    def holds(job: Job) -> bool:
        return job.id not in lost

    clock = partial(datetime.now, UTC)
    return Sender(
        store=store,
        graph=graph,
        holds=holds,
        limits=LIMITS,
        clock=clock,
        jitter=lambda: 0.5,
        metrics=Metrics(None),
        tracing=Tracing(),
        contact_label=LABEL,
    )


def test_a_reservation_whose_task_never_ran_is_taken_back(store: Store, sender: Sender) -> None:
    messages = queued(store, 2)
    jobs = claim(store, QUEUE)
    [(_, task), _] = sender.prepare(jobs)
    task()

    sender.take_back(jobs)

    assert sorted(stored(store, message).status for message in messages) == ["queued", "sending"]


@pytest.mark.parametrize(("before", "status"), [(True, "queued"), (False, "sending")])
def test_an_internal_error_before_the_first_byte_costs_no_message(
    store: Store, sender: Sender, graph: Graph, before: bool, status: str
) -> None:
    graph.fails_before, graph.fails_after = before, not before
    [message] = queued(store)
    jobs = claim(store, QUEUE)
    [(_, task)] = sender.prepare(jobs)

    with pytest.raises(ZeroDivisionError):
        task()
    sender.take_back(jobs)

    assert stored(store, message).status == status


def test_a_message_whose_claim_is_lost_is_not_posted_and_no_fault_of_metas(
    store: Store, sender: Sender, lost: set[int]
) -> None:
    queued(store)
    [job] = claim(store, QUEUE)
    [(_, task)] = sender.prepare([job])
    lost.add(job.id)

    result = task()

    assert isinstance(result, SendResult)
    assert result.send is not None
    assert (result.send.status, result.signal.value, result.attempt) == ("queued", "none", None)


def test_a_reservation_in_doubt_is_taken_back_once_the_database_is_there_again(
    url: str, make_store: StoreMaker, graph: Graph
) -> None:
    failing: list[str] = []

    def fail(point: str) -> None:
        if point in failing:
            failing.remove(point)
            failing.extend({"after_commit": ["before_commit"]}.get(point, []))
            raise StoreUnavailable("the server is restarting")

    store = make_store(url, on_failpoint=fail)
    sender = Sender(
        store=store,
        graph=graph,
        holds=lambda _: True,
        limits=LIMITS,
        clock=partial(datetime.now, UTC),
        jitter=lambda: 0.5,
        metrics=Metrics(None),
        tracing=Tracing(),
        contact_label=LABEL,
    )
    [message] = queued(store)
    jobs = claim(store, QUEUE)
    sender.has_work(QUEUE)
    failing.append("after_commit")
    with pytest.raises(StoreUnavailable):
        sender.prepare(jobs)
    in_doubt = stored(store, message).status

    sender.has_work(QUEUE)

    assert (in_doubt, stored(store, message).status) == ("sending", "queued")
