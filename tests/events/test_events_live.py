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

pytestmark = pytest.mark.usefixtures("unmeasured")

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

    def __init__(self, running: Running, query: str = "") -> None:
        self._running = running
        self._query = query
        self._answers: list[tuple[int, Any]] = []
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]
        for thread in self._threads:
            thread.start()
        wait_for(lambda: sum(connections_by_process(running, running.pids()).values()) == READERS)

    def are_waiting(self) -> bool:
        """Tell whether none of them has been answered."""
        return not self._answers

    def join(self) -> list[tuple[int, Any]]:
        """Return the answer to each long poll."""
        for thread in self._threads:
            thread.join()
        return self._answers

    def _read(self) -> None:
        status, body = self._running.ask("GET", f"/api/events?wait=25{self._query}", headers=bearer())
        self._answers.append((status, json.loads(body)))


def test_long_polls_keep_no_webhook_waiting_and_end_with_an_event_of_another_process_or_a_stop(
    running: Running, store: Store
) -> None:
    readers = Readers(running)
    webhooks = [running.ask("POST", PATH, body_of(str(n)), signed(body_of(str(n))))[0] for n in range(4)]
    were_waiting = readers.are_waiting()

    put_events(store, new_event("news"))
    woken = readers.join()
    readers = Readers(running, "&cursor=latest")
    code = running.stop()
    stopped = readers.join()

    assert (webhooks, were_waiting) == ([200] * 4, True)
    assert [status for status, _ in woken] == [200] * READERS
    assert [[event["data"]["text"] for event in page["items"]] for _, page in woken] == [["news"]] * READERS
    assert code == 0, running.err
    assert [(status, page["items"]) for status, page in stopped] == [(200, [])] * READERS
