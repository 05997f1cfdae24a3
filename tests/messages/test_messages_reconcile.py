"""Messages whose statuses have not come are asked about at Meta, in the background and within a budget."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.domain.job import RECONCILE_QUEUE, Job, Retry
from app.domain.message import Message
from app.gateway import Gateway
from app.graph.call import GraphReply, GraphRequest, GraphUnreachable
from app.graph.fake.server import FakeMetaServer
from app.messages.reconcile import ASK_EVERY, FIRST_WAIT, LOOK_EVERY, Reconciler
from app.store import Store
from app.store.tables.message_schema import messages
from app.store.tables.schema import jobs
from app.store.tables.types import EPOCH
from tests.messages.conftest import StartWorker
from tests.support.messages import accept, new_message
from tests.support.waiting import wait_for

OURS = "9876543210"
JOB = Job(1, RECONCILE_QUEUE, 0, 0, 1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOT_AVAILABLE = b'{"error": {"code": 10, "message": "not available"}}'
SLOW = b'{"error": {"code": 80008, "message": "slow"}}'
TRANSIENT = b'{"error": {"code": 2, "message": "try again"}}'


@dataclass
class ScriptedGraph:
    """Meta with one answer. `asked` are the wamids that it was asked about."""

    status: int = 200
    body: bytes = b'{"data": []}'
    headers: tuple[tuple[str, str], ...] = ()
    failure: str | None = None
    calls: list[GraphRequest] = field(default_factory=list)

    def call(self, request: GraphRequest) -> GraphReply:
        self.calls.append(request)
        if self.failure is not None:
            raise GraphUnreachable(self.failure)
        return GraphReply(self.status, self.headers, iter([self.body]))

    def refuse(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def asked(self) -> list[str]:
        return [call.query.partition("&")[0].removeprefix("message_id=wamid.") for call in self.calls]


@pytest.fixture
def graph() -> ScriptedGraph:
    return ScriptedGraph()


@pytest.fixture
def reconciler(gateway: Gateway, graph: ScriptedGraph) -> Reconciler:
    """The handler of a gateway with two messages, a and b, whose statuses have not come for an hour."""
    accepted_an_hour_ago(gateway.store, *accept(gateway.store, *(new_message(number=OURS) for _ in "ab")))
    return Reconciler(replace(gateway, make_graph=lambda _: graph))


def accepted_an_hour_ago(store: Store, *sent: Message) -> None:
    """Let Meta have accepted these messages: the first as `wamid.a`."""
    for message, name in zip(sent, "abc", strict=False):
        values = {"status": "accepted", "wamid": f"wamid.{name}", **an_hour_before(message)}
        change = update(messages).where(messages.c.id == message.row_id).values(values)
        store.write(lambda c, change=change: c.execute(change))


def an_hour_before(message: Message) -> dict[str, object]:
    at = message.created_at - HOUR
    return {"created_at": at, "updated_at": at}


def history(wamid: str, *words: str) -> bytes:
    told = [{"delivery_status": word, "timestamp": 1767355200} for word in words]
    return json.dumps({"data": [{"message_id": wamid, "events": {"data": told}}]}).encode()


def test_one_message_is_asked_about_at_a_time_and_what_meta_tells_is_recorded(
    gateway: Gateway, graph: ScriptedGraph, reconciler: Reconciler
) -> None:
    graph.body = history("wamid.a", "SENT", "DELIVERED")

    waits = [reconciler.handle(JOB) for _ in range(3)]

    assert waits == [Retry(ASK_EVERY), Retry(ASK_EVERY), Retry(LOOK_EVERY)]
    assert graph.asked == ["a", "b"]
    assert (graph.calls[0].method, graph.calls[0].path) == ("GET", f"{OURS}/message_history")
    found = [gateway.store.messages.get(f"wamid.{name}") for name in "ab"]
    assert [message.status for message in found if message] == ["delivered", "accepted"]


def test_an_hour_passes_after_a_refusal_and_the_message_is_not_asked_about_again(
    graph: ScriptedGraph, reconciler: Reconciler
) -> None:
    graph.refuse(403, NOT_AVAILABLE)

    waits = [reconciler.handle(JOB) for _ in range(2)]

    assert (waits, graph.asked) == ([Retry(HOUR)] * 2, ["a", "b"])


@pytest.mark.parametrize(("status", "body"), [(429, b""), (400, SLOW), (400, b'{"error": {"code": 130429}}')])
def test_a_throttled_question_is_repeated_ever_later(
    graph: ScriptedGraph, reconciler: Reconciler, status: int, body: bytes
) -> None:
    graph.refuse(status, body)

    waits = [reconciler.handle(JOB).delay for _ in range(6)]

    assert waits == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4, FIRST_WAIT * 8, HOUR, HOUR]
    assert graph.asked == ["a"] * 6


def test_the_delay_that_meta_asks_for_is_kept(graph: ScriptedGraph, reconciler: Reconciler) -> None:
    usage = {"1": [{"estimated_time_to_regain_access": 25}]}
    graph.refuse(400, SLOW, ("retry-after", "600"), ("x-business-use-case-usage", json.dumps(usage)))

    assert reconciler.handle(JOB) == Retry(25 * MINUTE)


def test_a_question_that_fails_for_a_while_is_given_up(graph: ScriptedGraph, reconciler: Reconciler) -> None:
    answers = [(500, TRANSIENT), (502, b"<html>"), (200, b"[]")]
    for status, body in answers:
        graph.refuse(status, body)
        reconciler.handle(JOB)
    graph.refuse(200, history("wamid.b"))

    assert reconciler.handle(JOB) == Retry(ASK_EVERY)
    assert graph.asked == ["a", "a", "a", "b"]


def test_a_meta_that_is_not_reached_is_asked_again_later(graph: ScriptedGraph, reconciler: Reconciler) -> None:
    graph.failure = "connection refused"
    waits = [reconciler.handle(JOB).delay for _ in range(4)]
    graph.failure = None

    assert reconciler.handle(JOB) == Retry(ASK_EVERY)
    assert (waits[0], waits[1], graph.asked) == (FIRST_WAIT, FIRST_WAIT * 2, ["a"] * 5)


@pytest.mark.usefixtures("unmeasured")
def test_statuses_whose_webhooks_never_came_are_learned_whichever_worker_dies(
    accepting: Store, meta: FakeMetaServer, start_worker: StartWorker
) -> None:
    [message] = accept(accepting, new_message(to="+9990000000"))
    first = start_worker()
    wait_for(lambda: status_of(accepting, message) == "accepted")
    first.kill()
    first.wait()
    change = update(messages).where(messages.c.id == message.row_id).values(**an_hour_before(message))
    due = update(jobs).where(jobs.c.queue == RECONCILE_QUEUE).values(due_at=EPOCH, claim_id=None)
    accepting.write(lambda c: (c.execute(change), c.execute(due)))

    start_worker()
    start_worker()

    wait_for(lambda: status_of(accepting, message) in ("sent", "delivered", "read"))
    found = accepting.messages.get(message.id)
    assert found is not None
    asked = meta.control.journal.entries("message_history")
    assert len(asked) == 1, asked


def status_of(store: Store, message: Message) -> str:
    found = store.messages.get(message.id)
    assert found is not None
    return found.status
