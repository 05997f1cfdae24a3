"""A process that sends messages and whose every write is recorded: `power_sender.py FOLDER RECORD PLANT`.

It acknowledges `posted` once a message may leave, and `beaten` once a heartbeat has followed the settlement of the
answer.
"""

from gevent import monkey

monkey.patch_all()

import pickle  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from app.store import Store  # noqa: E402
from app.store.engine import sqlite  # noqa: E402
from app.store.heartbeats import Heartbeats  # noqa: E402
from app.store.sending import Sending  # noqa: E402
from tests.faults.power_writer import Recorder, no_wal  # noqa: E402
from tests.support.sends import accepted, queued, reserve, settle  # noqa: E402
from tests.support.store import heartbeat  # noqa: E402
from tests.support.vfs import watch  # noqa: E402

ROUNDS = 8


def relaxed_reservations() -> None:
    """A bug: a reservation does not wait for the disk."""
    write = Store.write

    def write_relaxed(store, work, *channels, durable=True, **options):  # type: ignore[no-untyped-def]
        is_relaxed = Sending.__name__ in work.__qualname__
        return write(store, work, *channels, durable=durable and not is_relaxed, **options)

    Store.write = write_relaxed  # type: ignore[method-assign]


def relaxed_heartbeats() -> None:
    """A bug: no heartbeat waits for the disk."""
    beat = Heartbeats.beat
    Heartbeats.beat = lambda store, beaten, **_: beat(store, beaten)  # type: ignore[assignment, method-assign]


def nothing() -> None:
    """The code as it is."""


PLANTS = {plant.__name__: plant for plant in (nothing, no_wal, relaxed_reservations, relaxed_heartbeats)}


def main(folder: str, record: str, plant: str) -> None:
    recorder = Recorder()
    watch(recorder)
    sqlite.CHECKPOINT_PAGES = 60
    PLANTS[plant]()
    store = Store(f"sqlite:///{folder}/wats.sqlite3", min_free_bytes=0, cooperative=True)
    store.upgrade_schema()
    store.open()
    for _ in range(ROUNDS):
        message_ids = [message.id for message in queued(store, 2)]
        reserved = reserve(store)
        recorder.record += [("acknowledge", ("posted", message_id)) for message_id in message_ids]
        settle(store, reserved, accepted())
        store.heartbeats.beat(heartbeat(), durable=store.jobs.has_unsynced_answers)
        recorder.record += [("acknowledge", ("beaten", message_id)) for message_id in message_ids]
    Path(record).write_bytes(pickle.dumps(recorder.record))


if __name__ == "__main__":
    main(*sys.argv[1:])
