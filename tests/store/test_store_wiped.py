"""What was pruned or erased is in no byte of SQLite's files any more, the write-ahead log included."""

import json
import os
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.meta.parse import Unreadable, split
from app.domain.split import PendingReceipt, SplitEvent, SplitReceipt
from app.store import Store
from app.store.engine import sqlite
from tests.support.envelopes import change, contact, envelope, inbound_text
from tests.support.store import NOON, StoreMaker, new_receipt, sqlite_databases
from tests.support.work import LEASE, Clock, claim_split

CUSTOMERS, ERASED = 25, range(5)
RECEIPTS, PRUNED = 300, 100
SMALLEST, LARGEST = 500, 30_000
MONTH = timedelta(days=31)
LARGEST_FILE = 2**43


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


def bytes_of_files(url: str) -> bytes:
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())


def copies_of(text: str, url: str) -> int:
    return bytes_of_files(url).count(text.encode())


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


def test_nothing_that_was_pruned_or_erased_is_left_in_the_files(store: Store, url: str) -> None:
    prune(store)
    pruned = [number for number in range(PRUNED) if copies_of(f"wrote {number:05}", url)]
    erased_receipts = [n for n in range(PRUNED, RECEIPTS) if n % CUSTOMERS in ERASED and n % 10 != 7]

    for customer in ERASED:
        erase(store, phone_of(customer))

    left = bytes_of_files(url)
    assert pruned == []
    assert [number for number in erased_receipts if b"wrote %05d" % number in left] == []
    assert phone_of(CUSTOMERS - 1).encode() in left


def write_as_older_code(url: str, sql: str) -> None:
    """Run statements as code did that left content in free pages, and that did not know `user_version`."""
    connection = sqlite.driver().connect(sqlite.path_of(url))
    connection.executescript(f"PRAGMA secure_delete = OFF; {sql}; PRAGMA user_version = 0")
    connection.close()


@pytest.fixture
def of_older_code(url: str, make_store: StoreMaker) -> str:
    """The URL of a file whose free pages hold a copy of a receipt's body."""
    store = make_store(url)
    store.receipts.add(new_receipt(body_of(1) * 10))
    store.close()
    write_as_older_code(url, "UPDATE receipts SET state = 'split'")
    assert copies_of("wrote 00001. ", url) > (body_of(1) * 10).count(b"wrote 00001. ")
    return url


def test_a_file_of_older_code_is_wiped_once_by_the_upgrade(
    of_older_code: str, make_store: StoreMaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = make_store(of_older_code)

    for _ in range(2):
        store.upgrade_schema()

    body = store.receipts.body("rcp_1")
    assert body is not None
    assert 0 < copies_of("wrote 00001. ", of_older_code) <= body.count(b"wrote 00001. ")
    assert [record.message for record in caplog.records].count("store.wiping") == 1


def test_without_space_the_file_is_kept_as_it_is_and_wiped_at_a_later_start(
    of_older_code: str, make_store: StoreMaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    file = sqlite.path_of(of_older_code)
    size, free = file.stat().st_size, shutil.disk_usage(file.parent).free
    os.truncate(file, min(free, LARGEST_FILE))  # a hole: it takes no space
    store = make_store(of_older_code)
    if 2 * file.stat().st_size <= free:
        pytest.skip("this disk has room for the copy of any file")

    status = store.upgrade_schema()
    os.truncate(file, size)
    store.upgrade_schema()

    [refused, wiped] = [record for record in caplog.records if record.name.endswith("wipe")]
    assert status.compatible
    assert (refused.message, wiped.message) == ("store.not_wiped", "store.wiping")
    assert "MB must be free on the disk of the database" in refused.reason  # type: ignore[attr-defined]
