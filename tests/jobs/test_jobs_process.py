"""`python -m app.worker` as a platform runs it."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.delivery import DeliveryState
from app.store import Store
from app.store.engine import sqlite
from tests.support.destinations import ScriptedDestination
from tests.support.live import CONFIG, write_config
from tests.support.serving import ROOT, environment
from tests.support.store import Databases, StoreMaker, new_receipt, sqlite_databases
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import body_of
from tests.support.work import put_times_ahead

WORKER = """
    storage: {{ url: "{url}" }}
    worker: {{ leaseSeconds: 3600 }}
    destinations:
      - {{ name: crm, url: "{destination}", secret: {{ env: TEST_CRM_SECRET }}, timeoutSeconds: 60 }}
"""

StartWorker = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def destination() -> Iterator[ScriptedDestination]:
    destination = ScriptedDestination()
    yield destination
    destination.close()


@pytest.fixture
def environ(tmp_path: Path, url: str, destination: ScriptedDestination) -> Mapping[str, str]:
    """Settings with leases so long that none expires while a test runs."""
    config = write_config(tmp_path, CONFIG + WORKER.format(url=url, destination=destination.url))
    live = {"WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_GRACE_SECONDS": "5"}
    return environment(tmp_path, WATS_CONFIG=str(config), TEST_CRM_SECRET="crm-secret-91ab03c7", **live)


@pytest.fixture
def start_worker(environ: Mapping[str, str], tmp_path: Path) -> Iterator[StartWorker]:
    """Start one more worker."""
    with contextlib.ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            log = stack.enter_context((tmp_path / "worker.log").open("ab"))
            process = subprocess.Popen([sys.executable, "-m", "app.worker"], cwd=ROOT, env=environ, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


def is_delivered(store: Store) -> bool:
    return [delivery.state for delivery in store.deliveries.page(limit=9)] == [DeliveryState.DELIVERED]


def test_a_worker_that_stops_leaves_its_hanging_jobs_to_another_at_once(
    store: Store, destination: ScriptedDestination, start_worker: StartWorker
) -> None:
    destination.will_hang()
    store.receipts.add(new_receipt(body_of()))
    stopping = start_worker()
    wait_for(lambda: len(destination.calls) == 1)

    stopping.terminate()
    code = stopping.wait(DEADLINE_SECONDS)
    destination.recover()
    start_worker()
    wait_for(lambda: is_delivered(store))

    assert code == 0
    assert len(destination.calls) == 2
    assert len({(call.headers["webhook-id"], call.body) for call in destination.calls}) == 1


def test_another_worker_delivers_beside_one_whose_deliveries_hang(
    store: Store, destination: ScriptedDestination, start_worker: StartWorker
) -> None:
    destination.will_hang()
    store.receipts.add(new_receipt(body_of("one", wamid="wamid.1")))
    start_worker()
    wait_for(lambda: len(destination.calls) == 1)
    destination.recover()

    start_worker()
    store.receipts.add(new_receipt(body_of("two", wamid="wamid.2")))

    wait_for(lambda: len(store.deliveries.page(state=DeliveryState.DELIVERED, limit=9)) == 1)
    assert len(destination.calls) == 2


def test_a_running_worker_goes_on_when_the_clock_is_set_back(
    store: Store, destination: ScriptedDestination, start_worker: StartWorker
) -> None:
    destination.will_answer(503)
    store.receipts.add(new_receipt(body_of("one", wamid="wamid.1")))
    start_worker()
    wait_for(lambda: destination.calls)

    put_times_ahead(store, timedelta(hours=1))
    destination.recover()
    store.receipts.add(new_receipt(body_of("two", wamid="wamid.2")))

    wait_for(lambda: len(store.deliveries.page(state=DeliveryState.DELIVERED, limit=9)) == 2)
    wait_for(lambda: store.clock.last_jump() is not None)  # recorded after the jobs are pulled back
    jump = store.clock.last_jump()
    assert jump is not None
    assert jump.seconds < 0


def test_a_worker_waits_for_the_schema(
    databases: Databases,
    tmp_path: Path,
    make_store: StoreMaker,
    destination: ScriptedDestination,
    start_worker: StartWorker,
) -> None:
    empty = databases.empty()
    write_config(tmp_path, CONFIG + WORKER.format(url=empty, destination=destination.url))
    waiting = start_worker()
    wait_for(lambda: "store.unavailable" in (tmp_path / "worker.log").read_text())

    store = make_store(empty)
    store.upgrade_schema()
    store.receipts.add(new_receipt(body_of()))
    wait_for(lambda: is_delivered(store))
    waiting.terminate()

    assert waiting.wait(DEADLINE_SECONDS) == 0


def test_a_worker_whose_disk_fails_exits_with_code_70(
    tmp_path: Path, destination: ScriptedDestination, start_worker: StartWorker
) -> None:
    database = sqlite_databases(tmp_path).migrated()
    write_config(tmp_path, CONFIG + WORKER.format(url=database, destination=destination.url))
    worker = start_worker()
    wait_for(lambda: "worker.started" in (tmp_path / "worker.log").read_text())

    sqlite.path_of(database).write_bytes(b"no database" * 1000)

    assert worker.wait(DEADLINE_SECONDS) == 70
    assert '"store.broken"' in (tmp_path / "worker.log").read_text()
