"""A web process as gunicorn's gevent worker is one: `ROLE URL …`."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any, TypeVar

import gevent
from gevent.fileobject import FileObject
from sqlalchemy import Pool, event

from app.domain.job import SPLIT_QUEUE
from app.domain.queue import ClaimRequest
from app.domain.receipt import Stored
from app.gevent_patch import native
from app.store import Limits, Store, StoreUnavailable
from app.store.engine import sqlite
from app.store.engine.file_lock import FileLock
from tests.support.store import UNHURRIED, new_receipt

T = TypeVar("T")

CROWD = 300
TICK_SECONDS = 0.01
LONG_SECONDS = 600
NATIVE_SLEEP = native("time", "sleep")
LEASE = timedelta(hours=1)


@cache
def incoming() -> Any:
    """Return the input: who waits for a line of it lets the loop run."""
    return FileObject(sys.stdin.fileno(), "r", close=False)


def say(thing: Any) -> None:
    print(json.dumps(thing), flush=True)


def open_store(url: str, **options: Any) -> Store:
    store = Store(url, **{"min_free_bytes": 0, "cooperative": True, "limits": UNHURRIED, **options})
    store.open()
    return store


def each_at_once(work: Any, items: Any) -> list[Any]:
    """Return the result of each, or the reason why the store could not do it."""

    def attempt(item: Any) -> Any:
        try:
            return work(item)
        except StoreUnavailable as error:
            return str(error)

    return [greenlet.get() for greenlet in [gevent.spawn(attempt, item) for item in items]]


def once_available(work: Callable[[], T]) -> T:
    """Return the work's result; do it again for as long as the store is unavailable."""
    while True:
        try:
            return work()
        except StoreUnavailable:
            gevent.sleep(TICK_SECONDS)


def add_in_a_crowd(url: str) -> None:
    """300 greenlets, of which each three have the same body."""
    store = open_store(url)
    stored = each_at_once(lambda n: store.receipts.add(new_receipt(b"%d" % (n % (CROWD // 3)))), range(CROWD))
    page = store.receipts.page(state=None, before=None, limit=CROWD)
    bodies = each_at_once(lambda receipt: store.receipts.body(receipt.id).decode(), page)
    say({stored_as: stored.count(stored_as) for stored_as in Stored})
    say(sorted(map(int, bodies)))
    say(sorted({receipt.duplicates for receipt in page}))
    store.close()
    say(each_at_once(lambda _: store.receipts.add(new_receipt()), [0]))


def connect_at_once(url: str) -> None:
    """Let all threads that read connect at the same time; say what each of 20 reads has found."""
    event.listen(Pool, "connect", lambda *_: NATIVE_SLEEP(TICK_SECONDS))
    store = open_store(url)
    say(each_at_once(store.receipts.body, [f"rcp_{number}" for number in range(1, 21)]))
    store.close()


def add_for_ever(url: str, name: str) -> None:
    """50 greenlets; each says its body once it is acknowledged."""
    store = open_store(url)

    def add_more(greenlet: int) -> None:
        for number in count():
            body = f"{name} {greenlet} {number}"
            store.receipts.add(new_receipt(body.encode()))
            say(body)

    gevent.joinall([gevent.spawn(add_more, number) for number in range(50)])


def meet_trouble(url: str, read_seconds: str) -> None:
    """Work before, in and after a trouble that the tests make and end; keep a clock ticking meanwhile."""
    store = open_store(url, limits=replace(UNHURRIED, read_seconds=float(read_seconds), write_seconds=4))
    ticks = count()

    def tick() -> None:
        while True:
            gevent.sleep(TICK_SECONDS)
            next(ticks)

    gevent.spawn(tick)
    store.receipts.add_all([new_receipt(b"%d" % number) for number in range(20)])
    each_at_once(store.receipts.body, [f"rcp_{number}" for number in range(1, 21)])  # every connection is warm
    say("warm")
    incoming().readline()
    before = next(ticks)
    adding = gevent.spawn(each_at_once, lambda n: store.receipts.add(new_receipt(b"in trouble %d" % n)), range(20))
    reading = gevent.spawn(each_at_once, lambda n: store.receipts.get(f"rcp_{n}") is not None, range(1, 21))
    writing = gevent.spawn(each_at_once, lambda n: store.receipts.reprocess(f"rcp_{n}") is not None, range(1, 4))
    say(
        {
            "added": sorted(set(adding.get())),
            "read": sorted(set(reading.get())),
            "written": sorted(set(writing.get())),
        }
    )
    say(store.checks()["schema"])
    say(next(ticks) - before)
    incoming().readline()
    once_available(lambda: store.receipts.add(new_receipt(b"after")))
    expected = [b"%d" % (number % 20) for number in range(60)]
    ids = [f"rcp_{number % 20 + 1}" for number in range(60)]
    say(each_at_once(lambda one: once_available(lambda: store.receipts.body(one)), ids) == expected)
    say(each_at_once(lambda n: once_available(lambda: store.receipts.add(new_receipt(b"later %d" % n))), range(3)))
    store.close()


def close_while_writing(url: str) -> None:
    """Close the store while a transaction is about to commit; say what the waiting callers heard."""
    points: list[str] = []
    closing: list[bool] = []

    def hold(point: str) -> None:
        """On SQLite this is a native thread, which goes on; on PostgreSQL a greenlet, which the close ends here."""
        points.append(point)
        if url.startswith("postgresql"):
            gevent.sleep(LONG_SECONDS)
        while not closing:
            NATIVE_SLEEP(TICK_SECONDS)

    store = open_store(url, on_failpoint=hold)
    adding = gevent.spawn(each_at_once, lambda n: store.receipts.add(new_receipt(b"%d" % n)), range(9))
    while not points:
        gevent.sleep(TICK_SECONDS)
    closing.append(True)
    store.close()
    say(adding.get())


def give_up_and_ask_again(url: str) -> None:
    """Say what a claim heard while another process held the write lock, and what the next one gets afterwards."""
    store = open_store(url, limits=Limits(write_seconds=0.5))
    with FileLock(sqlite.path_of(url)).held():
        say(each_at_once(lambda wanted: store.jobs.claim(wanted, LEASE), [ClaimRequest(SPLIT_QUEUE, 1, 1)]))
    jobs = once_available(lambda: store.jobs.claim(ClaimRequest(SPLIT_QUEUE, 1, 1), LEASE))
    say([job.queue for job in jobs])


def listen(url: str, channel: Any) -> None:
    """Say each wake-up. On PostgreSQL the first one comes at once: something may have been committed before."""
    store = open_store(url)
    listener = store.notifier.listen(channel)
    say("listening" if url.startswith("sqlite:") else listener.wait(LONG_SECONDS) and "listening")
    while True:
        say(listener.wait(LONG_SECONDS))


def end_while_pinging(url: str) -> None:
    """End a loop that asks the store for ever, while the driver pings a connection. Say whether it has ended."""
    store = open_store(url, limits=replace(UNHURRIED, connections=1))

    def ask_for_ever() -> None:
        while True:
            with suppress(StoreUnavailable):
                store.schema_status()
            gevent.sleep(TICK_SECONDS)

    store.schema_status()  # its connection is pooled now, and pinged before it is used again
    say("warm")
    incoming().readline()
    asking = gevent.spawn(ask_for_ever)
    gevent.sleep(1)
    asking.kill(timeout=5)
    say(asking.dead)


ROLES = (
    add_in_a_crowd,
    connect_at_once,
    add_for_ever,
    meet_trouble,
    close_while_writing,
    give_up_and_ask_again,
    listen,
    end_while_pinging,
)


def main() -> None:
    {role.__name__: role for role in ROLES}[sys.argv[1]](*sys.argv[2:])
