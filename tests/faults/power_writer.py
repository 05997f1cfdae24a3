"""A process whose every write is recorded: `power_writer.py FOLDER RECORD PLANT`.

It is a store as in a web process, cooperative and with group commit, on an empty database; beside its receipts there
is work whose commits do not wait for the disk. The record is a list of changes of files and of acknowledgements, in
the order in which they happened.
"""

from gevent import monkey

monkey.patch_all()

import pickle  # noqa: E402
import sys  # noqa: E402
from datetime import timedelta  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402
from sqlalchemy import Connection  # noqa: E402

from app.domain.job import SPLIT_QUEUE, Retry  # noqa: E402
from app.domain.job_result import JobResult  # noqa: E402
from app.domain.queue import ClaimRequest  # noqa: E402
from app.domain.receipt import NewReceipt, Stored  # noqa: E402
from app.store import Store  # noqa: E402
from app.store.engine import sqlite  # noqa: E402
from tests.support.senders import numbered_body  # noqa: E402
from tests.support.store import new_receipt  # noqa: E402
from tests.support.vfs import OK, watch  # noqa: E402

RECEIPTS = 240
WORK_EVERY = 12
AT_ONCE = 6


class Recorder:
    """Writes down what happens to the database's files."""

    def __init__(self) -> None:
        self.record: list[tuple[object, ...]] = []

    def write(self, name: str, offset: int, data: bytes) -> int:
        self.record.append(("write", name, offset, data))
        return OK

    def truncate(self, name: str, size: int) -> int:
        self.record.append(("truncate", name, size))
        return OK

    def sync(self, name: str) -> int:
        self.record.append(("sync", name))
        return OK

    def delete(self, name: str, durably: bool) -> int:
        self.record.append(("delete", name, durably))
        return OK

    def acknowledge(self, number: int) -> None:
        self.record.append(("acknowledge", number))


def normal_synchronous() -> None:
    """A bug: WAL without a sync at each commit."""
    sqlite.durable_synchronous = lambda: "NORMAL"


def stays_relaxed() -> None:
    """A bug: after a commit that did not wait for the disk none does."""

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("synchronous"):
            sqlite._execute_on_driver(connection, "PRAGMA synchronous = NORMAL")
        sqlite._execute_on_driver(connection, "BEGIN IMMEDIATE")

    sqlite._begin_to_write = begin


def answer_before_commit() -> None:
    """A bug: the answer does not wait."""
    from app.store.receipts import Receipts

    add = Receipts.add

    def add_later(store: Receipts, receipt: NewReceipt) -> Stored:
        gevent.spawn(add, store, receipt)
        return Stored.ACCEPTED

    Receipts.add = add_later  # type: ignore[method-assign]


def no_wal() -> None:
    """No bug: the journal mode for a library with the WAL-reset bug."""
    sqlite.has_wal_reset_bug = lambda version: True


def full_without_wal() -> None:
    """A bug: without WAL the deletion of the journal is the commit, and FULL does not sync that."""
    no_wal()
    sqlite.durable_synchronous = lambda: "FULL"


def nothing() -> None:
    """The code as it is."""


PLANTS = {
    plant.__name__: plant
    for plant in (nothing, normal_synchronous, stays_relaxed, answer_before_commit, no_wal, full_without_wal)
}


def work(store: Store) -> None:
    """Claim the splitting job and settle it: two commits that do not wait for the disk."""
    jobs = store.jobs.claim(ClaimRequest(SPLIT_QUEUE, 1, 1), timedelta(seconds=30))
    store.jobs.settle([JobResult(job, Retry(timedelta())) for job in jobs])


def main(folder: str, record: str, plant: str) -> None:
    recorder = Recorder()
    watch(recorder)
    sqlite.CHECKPOINT_PAGES = 60
    PLANTS[plant]()
    store = Store(f"sqlite:///{folder}/wats.sqlite3", min_free_bytes=0, cooperative=True)
    store.upgrade_schema()
    store.open()
    store.queues.ensure([SPLIT_QUEUE])

    def add(number: int) -> None:
        store.receipts.add(new_receipt(numbered_body(number)))
        recorder.acknowledge(number)
        if number % WORK_EVERY == 0:
            work(store)

    Pool(AT_ONCE).map(add, range(RECEIPTS))
    Path(record).write_bytes(pickle.dumps(recorder.record))


if __name__ == "__main__":
    main(*sys.argv[1:])
