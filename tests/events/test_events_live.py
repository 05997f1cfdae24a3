"""Long polls of a real service: woken by another process's commit, answered at a stop, no obstacle to webhooks."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import Store
from tests.support.connections import connections_by_process
from tests.support.events import new_event, put_events
from tests.support.live import write_config
from tests.support.serving import Running, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

READERS = 60


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    config = str(write_config(tmp_path))
    with serving(tmp_path, "--config", config, "--live", "--yes-live", "--without-worker") as running:
        yield running


@pytest.fixture
def store(running: Running) -> Iterator[Store]:
    """Open the service's database as another process would."""
    store = Store(f"sqlite:///{running.folder}/data/wats.sqlite3", min_free_bytes=0, cooperative=False)
    store.open()
    yield store
    store.close()


class Readers:
    """Many long polls at once, whose connections the web processes have accepted."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._answers: list[tuple[int, Any]] = []
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]
        for thread in self._threads:
            thread.start()
        wait_for(lambda: sum(connections_by_process(running, running.pids()).values()) == READERS)

    def join(self) -> list[tuple[int, Any]]:
        """Return the answer to each long poll."""
        for thread in self._threads:
            thread.join()
        return self._answers

    def _read(self) -> None:
        status, body = self._running.ask("GET", "/api/events?wait=25", headers=bearer())
        self._answers.append((status, json.loads(body)))


def test_an_event_of_another_process_wakes_every_long_poll(running: Running, store: Store) -> None:
    readers = Readers(running)

    put_events(store, new_event("news"))

    answers = readers.join()
    assert [status for status, _ in answers] == [200] * READERS
    assert [[event["data"]["text"] for event in page["items"]] for _, page in answers] == [["news"]] * READERS


def test_a_stop_answers_every_long_poll(running: Running) -> None:
    readers = Readers(running)

    code = running.stop()

    answers = readers.join()
    assert code == 0, running.err
    assert [(status, page["items"]) for status, page in answers] == [(200, [])] * READERS


def test_long_polls_do_not_keep_webhooks_waiting(running: Running, store: Store) -> None:
    readers = Readers(running)

    answers = [running.ask("POST", PATH, body_of(str(n)), signed(body_of(str(n))))[0] for n in range(20)]
    still_waiting = sum(thread.is_alive() for thread in threading.enumerate()) > READERS

    put_events(store, new_event("end"))
    readers.join()
    assert answers == [200] * 20
    assert still_waiting
