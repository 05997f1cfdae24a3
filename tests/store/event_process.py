"""A process that splits, or one that reads what is split meanwhile: `ROLE URL …`."""

import json
import random
import sys
import time
from contextlib import suppress
from datetime import timedelta

from app.domain.event_filter import EventFilter
from app.domain.job import SPLIT_QUEUE, Retry
from app.domain.job_result import JobResult
from app.domain.queue import ClaimRequest
from app.domain.split import PendingReceipt, SplitEvent, SplitReceipt
from app.store import Store
from app.store.engine.errors import ClaimLost
from tests.support.events import new_event
from tests.support.store import NOON, UNHURRIED

LEASES = (timedelta(seconds=0.04), timedelta(seconds=5))
"""Some claims are lost, and some are not, however slow the machine is."""
LAST = "test.last"


def open_store(url: str, choice: random.Random) -> Store:
    """Its commits take a while, each another one, so that they would overtake each other if they could."""
    pauses = (0, 0, 0, 0.03)
    store = Store(
        url,
        min_free_bytes=0,
        cooperative=False,
        limits=UNHURRIED,
        on_failpoint=lambda _: time.sleep(choice.choice(pauses)),
    )
    store.open()
    return store


def split(url: str, name: str, number: str) -> None:
    """Add this many events, a few at a time, whenever the splitting job is to be had; some claims are lost."""
    choice = random.Random(name)
    store, left = open_store(url, choice), [f"{name} {each}" for each in range(int(number))]
    while left:
        lease = choice.choice(LEASES)
        for job in store.jobs.claim(ClaimRequest(SPLIT_QUEUE, 1, 1), lease):
            time.sleep(choice.choice((0, 0, 0.05)))
            some = left[: choice.choice((1, 3, 10))]
            events = [SplitEvent(new_event(each, kind=f"message.{choice.choice('abc')}")) for each in some]
            with suppress(ClaimLost):
                store.events.add(job, [SplitReceipt(PendingReceipt("rcp_1", NOON, b"", b""), events)], lease)
                del left[: len(some)]
            store.jobs.settle([JobResult(job, Retry(timedelta()))])
        time.sleep(0.01)


def read(url: str, seed: str, types: str) -> None:
    """Follow the cursor until the last event; say all sequences."""
    choice = random.Random(seed)
    store, page = open_store(url, choice), []
    seen = [0]
    while not any(event.type == LAST for event in page):
        page = store.events.after(seen[-1], EventFilter(types=[LAST, *types.split(",")]), limit=choice.randint(1, 20))
        seen += [event.sequence for event in page]
        time.sleep(choice.choice((0, 0.02)))
    print(json.dumps(seen[1:]), flush=True)


def main() -> None:
    {"split": split, "read": read}[sys.argv[1]](*sys.argv[2:])
