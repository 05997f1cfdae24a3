"""A client repeats a message with its idempotency key: two web processes, also dying ones, make one message of it."""

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from app.store import Store
from tests.faults.conftest import Serve
from tests.faults.test_faults_kills import DYING
from tests.support.serving import GUNICORN
from tests.support.store import Databases
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import bearer

AT_ONCE = 50
CLIENTS = 6


@dataclass
class Answer:
    """What a client got: the id of the message, and whether an earlier request with its key has made that."""

    status: int
    message: str
    is_replay: bool


@dataclass
class Repeating:
    """Clients that send each message until it is answered. `found`: keys of which the first answer was lost."""

    answers: dict[str, Answer] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)


def post(port: int, key: str, before_body: Callable[[], object] = lambda: None) -> Answer:
    """Send the message of this key."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)) as connection:
        body = json.dumps({"to": "+4915112345678", "text": f"order {key}"}).encode()
        headers = {**bearer(), "Content-Type": "application/json", "Idempotency-Key": key}
        connection.putrequest("POST", "/api/messages/text")
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        before_body()
        connection.send(body)
        answer = connection.getresponse()
        read = json.loads(answer.read())
        return Answer(answer.status, read.get("id", ""), answer.headers.get("Idempotency-Replayed") == "true")


def stored_ids(url: str) -> list[str]:
    """Return the ids of all stored messages."""
    with closing(Store(url, min_free_bytes=0, cooperative=False)) as store:
        store.open()
        return [message.id for message in store.messages.page(limit=100_000)]


def sockets_of(pid: int) -> int:
    """Return how many sockets a process has open."""
    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]  # noqa: PTH115, PTH208
    return sum(link.startswith("socket:") for link in links)


def test_fifty_requests_with_one_key_over_two_processes_make_one_message(databases: Databases, serve: Serve) -> None:
    url = databases.migrated()
    with serve(url, command=(GUNICORN, "wsgi:app")) as running, ThreadPoolExecutor(AT_ONCE) as pool:
        idle = {pid: sockets_of(pid) for pid in running.pids_of("wats-web")[1:]}

        def are_shared() -> bool:
            """Each of the two processes has begun to read many of the requests."""
            return len(idle) == 2 and all(sockets_of(pid) - before >= 10 for pid, before in idle.items())

        barrier = threading.Barrier(AT_ONCE, lambda: wait_for(are_shared))
        posted = [pool.submit(post, running.port, "k", barrier.wait) for _ in range(AT_ONCE)]
        answers = [each.result(DEADLINE_SECONDS) for each in posted]

    [message] = stored_ids(url)
    assert {(answer.status, answer.message) for answer in answers} == {(202, message)}
    assert sum(answer.is_replay for answer in answers) == AT_ONCE - 1


@contextmanager
def repeating(port: int) -> Iterator[Repeating]:
    """Let clients send while the block runs; afterwards each has the answer to its last message."""
    clients, stop = Repeating(), threading.Event()

    def send(client: int) -> None:
        number = 0
        while not stop.is_set():
            key, is_repeat, number = f"{client}-{number}", False, number + 1
            while (answer := answer_or_none(port, key)) is None:
                is_repeat = True
            clients.answers[key] = answer
            if is_repeat and answer.is_replay:
                clients.found.append(key)

    with ThreadPoolExecutor(CLIENTS) as pool:
        ended = [pool.submit(send, client) for client in range(CLIENTS)]
        try:
            yield clients
        finally:
            stop.set()
            for each in ended:
                each.result(DEADLINE_SECONDS)


def answer_or_none(port: int, key: str) -> Answer | None:
    try:
        answer = post(port, key)
    except (OSError, http.client.HTTPException):
        return None
    return None if answer.status == 503 else answer


def test_a_message_whose_answer_died_with_its_process_is_found_by_its_key(
    databases: Databases, serve: Serve, long: bool
) -> None:
    url, deaths = databases.migrated(), 40 if long else 3
    command = (GUNICORN, "--config", str(DYING), "wsgi:app")
    with serve(url, command=command, WATS_TEST_DIE_AT="after_commit") as running, repeating(running.port) as clients:
        wait_for(lambda: running.err.count("was sent SIGKILL") >= deaths, seconds=600)

    assert {answer.status for answer in clients.answers.values()} == {202}
    assert sorted(answer.message for answer in clients.answers.values()) == sorted(stored_ids(url))
    assert clients.found
