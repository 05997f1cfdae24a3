"""A worker starts with a clock that may have jumped: nothing expires on its word."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.store import Store
from app.store.tables.schema import clock_jump
from tests.messages.conftest import StartWorker
from tests.messages.test_messages_send import status_of, to
from tests.support.messages import accept
from tests.support.store import sqlite_databases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A file: its clock is the machine's."""
    return sqlite_databases(tmp_path).migrated()


def test_a_message_that_is_too_old_by_an_unwatched_clock_waits_and_others_are_sent(
    accepting: Store, start_worker: StartWorker, worker_log: Callable[[], str]
) -> None:
    last_look = datetime.now(UTC) - timedelta(days=8)
    accepting.write(lambda c: c.execute(update(clock_jump).values(seen_at=last_look)))
    [old] = accept(accepting, to("0001")._replace(lifetime=timedelta(seconds=-1)))
    start_worker()
    wait_for(lambda: '"clock.doubted"' in worker_log())

    [young] = accept(accepting, to("0002"))
    wait_for(lambda: status_of(accepting, young) == "accepted")

    assert status_of(accepting, old) == "queued"
    assert "retention.pruned" not in worker_log()
