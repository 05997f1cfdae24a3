"""A process of its own that works on a store: `ROLE URL …`. It says what it did in lines of JSON."""

import json
import os
import random
import resource
import signal
import sys
import time
from datetime import timedelta
from itertools import count
from typing import Any

from app.domain.queue import ClaimRequest
from app.store import Store, StoreUnavailable
from tests.support.store import UNHURRIED, new_receipt
from tests.support.work import LEASE, done


def say(thing: Any) -> None:
    print(json.dumps(thing), flush=True)


def open_store(url: str, **options: Any) -> Store:
    store = Store(url, **{"min_free_bytes": 0, "cooperative": False, "limits": UNHURRIED, **options})
    store.open()
    return store


def migrate(url: str) -> None:
    say(Store(url, min_free_bytes=0, cooperative=False).upgrade_schema().version)


def hang_in_migration(url: str) -> None:
    def hang(point: str) -> None:
        say(point)
        time.sleep(600)

    Store(url, min_free_bytes=0, cooperative=False, on_failpoint=hang).upgrade_schema()


def add_shuffled(url: str, bodies: str, seed: str) -> None:
    """Add each of this many bodies once, in an order of its own, one by one and in batches."""
    store, order, choice = open_store(url), list(range(int(bodies))), random.Random(seed)
    choice.shuffle(order)
    while order:
        size = choice.choice((1, 1, 2, 7))
        batch, order = order[:size], order[size:]
        say(store.receipts.add_all([new_receipt(b"%d" % number) for number in batch]))


def add_for_ever(url: str, name: str) -> None:
    """Say each body once it is acknowledged."""
    store = open_store(url)
    for number in count():
        body = f"{name} {number}"
        store.receipts.add(new_receipt(body.encode()))
        say(body)


def die_at(url: str, point: str) -> None:
    def die(passed: str) -> None:
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    open_store(url, on_failpoint=die).receipts.add(new_receipt(b"dying"))


def meet_io_error(url: str) -> None:
    """Nothing may grow a file for a while, which SQLite is told as an I/O error."""
    store = open_store(url)
    store.receipts.add(new_receipt(b"before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        store.receipts.add(new_receipt(b"x" * 1_000_000))
    except StoreUnavailable as error:
        say([type(error).__name__, str(error)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        store.receipts.add(new_receipt(b"after"))
    except StoreUnavailable as error:
        say([type(error).__name__, str(error)])
    say(store.checks()["database"])


def work(url: str, queue: str, most: str, seconds: str) -> None:
    """Claim, hold for a moment and settle until nothing is open; say each job claimed, and how many are in flight."""
    store, choice = open_store(url), random.Random()
    while store.jobs.next_due_in(queue) is not None:
        jobs = store.jobs.claim(ClaimRequest(queue, int(most), choice.randint(1, 4)), LEASE)
        in_flight = [depth.in_flight for depth in store.jobs.depths() if depth.queue == queue]
        time.sleep(float(seconds) if jobs else 0.005)
        kept = jobs[: choice.randint(0, 4)]
        store.jobs.hand_back(jobs[len(kept) :])
        store.jobs.settle([done(job) for job in kept])
        say([[job.subject for job in kept], max(in_flight, default=0)])


def claim_and_hang(url: str, queue: str) -> None:
    """Claim something and say what, then do nothing any more."""
    jobs = open_store(url).jobs.claim(ClaimRequest(queue, 8, 1), timedelta(seconds=1))
    say([job.subject for job in jobs])
    time.sleep(600)


ROLES = (migrate, hang_in_migration, add_shuffled, add_for_ever, die_at, meet_io_error, work, claim_and_hang)


def main() -> None:
    {role.__name__: role for role in ROLES}[sys.argv[1]](*sys.argv[2:])
