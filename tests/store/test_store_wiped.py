"""No text that was pruned or erased is in SQLite's files any more, the write-ahead log included."""

import json
import random
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.meta.parse import Unreadable, split
from app.domain.split import PendingReceipt, SplitEvent, SplitReceipt
from app.store import Store
from app.store.engine import sqlite
from tests.support.envelopes import change, contact, envelope, inbound_text
from tests.support.sqlite_bytes import bytes_of_files, copies_of, execute, unclean_pages
from tests.support.store import NOON, StoreMaker, new_receipt, sqlite_databases
from tests.support.work import LEASE, Clock, claim_split

CUSTOMERS, ERASED = 25, range(5)
RECEIPTS, PRUNED = 300, 100
SMALLEST, LARGEST = 500, 30_000
MONTH = timedelta(days=31)


def phone_of(customer: int) -> str:
    return f"4915112300{customer:03}"


def text_of(number: int) -> str:
    """Words that say in every few bytes whose they are, and from which receipt."""
    word = f"{phone_of(number % CUSTOMERS)} wrote {number:05}. "
    size = SMALLEST * (LARGEST / SMALLEST) ** random.Random(number).random()
    return word * round(size / len(word))


def body_of(number: int) -> bytes:
    """A webhook with one message, sometimes with more, and sometimes one that cannot be read."""
    if number % 10 == 7:
        return f"no JSON: {text_of(number)}".encode()
    sender = phone_of(number % CUSTOMERS)
    count = random.Random(number).choice((1, 1, 1, 2, 20))
    text = text_of(number)
    parts = [text[len(text) * part // count : len(text) * (part + 1) // count] for part in range(count)]
    messages = [inbound_text(part, wamid=f"wamid.{number}.{n}", sender=sender) for n, part in enumerate(parts)]
    return json.dumps(envelope(change(contacts=[contact(sender)], messages=messages))).encode()


def split_receipt(receipt: PendingReceipt) -> SplitReceipt:
    try:
        events = split(receipt.body, sha256=receipt.sha256, received_at=receipt.received_at)
        return SplitReceipt(receipt, [SplitEvent(event) for event in events])
    except Unreadable as error:
        return SplitReceipt(receipt, unreadable=str(error))


def split_pending(store: Store) -> None:
    job = claim_split(store)
    pending = store.receipts.pending(limit=1000, max_bytes=100_000_000)
    store.events.add(job, [split_receipt(receipt) for receipt in pending], LEASE)
    store.jobs.settle([JobResult(job, Retry(timedelta()))])


def receive(store: Store, numbers: range) -> None:
    """Receive and split webhooks; some come again, before the split and after it, and some are reprocessed."""
    choice = random.Random(numbers.start)
    bodies = [body_of(number) for number in numbers]
    late = [NOON + (MONTH if number >= PRUNED else timedelta()) for number in numbers]
    for body, at in zip(bodies, late, strict=True):
        store.receipts.add(new_receipt(body, minute=int((at - NOON).total_seconds()) // 60))
    store.receipts.add_all([new_receipt(body) for body in choice.sample(bodies, 5)])
    split_pending(store)
    store.receipts.add_all([new_receipt(body) for body in choice.sample(bodies, 5)])
    for receipt in store.receipts.page(state=None, before=None, limit=5):
        store.receipts.reprocess(receipt.id)
    split_pending(store)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_databases(tmp_path).migrated()


@pytest.fixture
def store(url: str, make_store: StoreMaker, clock: Clock) -> Store:
    store = make_store(url, clock=clock)
    for first in range(0, RECEIPTS, 30):
        receive(store, range(first, first + 30))
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


def prune(store: Store) -> None:
    before, after = NOON + timedelta(days=1), 0
    while (after := store.retention.prune_receipts(before=before, after=after).next) is not None:
        pass
    after = 0
    while (after := store.retention.prune_events(before=before, after=after, destinations=[]).next) is not None:
        pass
    store.retention.empty_log()


def erase(store: Store, phone: str) -> None:
    cursor = None
    while (cursor := store.retention.erase(phone, cursor).next) is not None:
        pass


def phones_left(url: str) -> int:
    """Count the phone numbers of erased customers, of whom nothing was kept, in the files."""
    kept = {number % CUSTOMERS for number in range(RECEIPTS) if number % 10 == 7}
    return sum(copies_of(phone_of(customer), url) for customer in ERASED if customer not in kept)


def test_nothing_that_was_pruned_or_erased_is_left_in_the_files(store: Store, url: str) -> None:
    prune(store)
    pruned = [number for number in range(PRUNED) if copies_of(f"wrote {number:05}", url)]
    erased_receipts = [n for n in range(PRUNED, RECEIPTS) if n % CUSTOMERS in ERASED and n % 10 != 7]

    for customer in ERASED:
        erase(store, phone_of(customer))

    left = bytes_of_files(url)
    assert pruned == []
    assert [number for number in erased_receipts if b"wrote %05d" % number in left] == []
    assert phones_left(url) == 0
    assert unclean_pages(url) == []
    assert copies_of(phone_of(CUSTOMERS - 1), url) > 0


PAGES_IN_USE = "SELECT (SELECT * FROM pragma_page_count) - (SELECT * FROM pragma_freelist_count)"
LEAVE_FREE_PAGES = """
    CREATE TABLE gone (text);
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 400)
        INSERT INTO gone SELECT replace(hex(zeroblob(2000)), '00', 'confidential ') FROM numbers;
    DROP TABLE gone
"""


def write_as_older_code(url: str) -> None:
    """Leave content in more free pages than one step wipes, as code did that did not know `user_version`."""
    with closing(sqlite.driver().connect(sqlite.path_of(url))) as connection:
        connection.executescript(f"PRAGMA secure_delete = OFF; {LEAVE_FREE_PAGES}; PRAGMA user_version = 0")


@pytest.fixture
def of_older_code(url: str, make_store: StoreMaker) -> str:
    """The URL of a file whose free pages hold what older code has deleted."""
    store = make_store(url)
    store.receipts.add(new_receipt(body_of(1)))
    store.close()
    write_as_older_code(url)
    assert copies_of("confidential", url) > 400_000
    return url


def test_free_pages_of_older_code_are_wiped_in_steps_however_often_the_process_dies(
    of_older_code: str, make_store: StoreMaker
) -> None:
    size = sqlite.path_of(of_older_code).stat().st_size
    steps = 0

    while (store := make_store(of_older_code)).upkeep.wipe_free_pages():
        store.receipts.add(new_receipt(b"meanwhile %d" % steps))
        store.close()
        steps += 1

    store.retention.empty_log()
    assert steps > 4
    assert copies_of("confidential", of_older_code) == 0
    assert sqlite.path_of(of_older_code).stat().st_size < 1.1 * size
    assert store.receipts.body("rcp_1") == body_of(1)
    assert store.receipts.counts().total == steps + 1
    assert execute(of_older_code, "PRAGMA integrity_check") == [("ok",)]
    assert execute(of_older_code, PAGES_IN_USE)[0][0] < 200  # type: ignore[operator]


def test_an_upgrade_leaves_the_wiping_to_the_worker(of_older_code: str, make_store: StoreMaker) -> None:
    """Nothing that needs time or room may come before a start."""
    store = make_store(of_older_code)
    before = execute(of_older_code, "PRAGMA freelist_count")

    status = store.upgrade_schema()

    assert status.compatible
    assert execute(of_older_code, "PRAGMA freelist_count") == before
    assert store.upkeep.wipe_free_pages()


def test_a_new_file_needs_no_wiping_unless_older_code_was_at_work(url: str, make_store: StoreMaker) -> None:
    store = make_store(url)
    at_first = store.upkeep.wipe_free_pages()

    store.upkeep.expect_remains()

    assert (at_first, store.upkeep.wipe_free_pages()) == (False, True)
