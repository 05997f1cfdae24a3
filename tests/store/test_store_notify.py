"""The notifier: a commit wakes listeners in other processes; a dead listener delays no commit."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from app.store.engine import sqlite
from tests.store.children import Start
from tests.support.sends import accepted, queued, reserve, settle
from tests.support.store import Databases, StoreMaker, new_receipt


def test_a_commit_of_receipts_wakes_a_listener_in_another_process(
    url: str, start: Start, make_store: StoreMaker
) -> None:
    child = start("cooperative_process", "listen", url, "work")
    assert child.hear() == "listening"

    make_store(url).receipts.add(new_receipt(b"one"))

    assert child.hear() is True


def test_every_listener_is_woken_by_every_commit(url: str, start: Start, make_store: StoreMaker) -> None:
    children = [start("cooperative_process", "listen", url, "work") for _ in range(3)]
    store = make_store(url)
    assert [child.hear() for child in children] == ["listening"] * 3

    for number in range(3):
        store.receipts.add(new_receipt(b"%d" % number))
        assert [child.hear() for child in children] == [True] * 3


def test_a_commit_wakes_the_listeners_of_its_channels_only(url: str, start: Start, make_store: StoreMaker) -> None:
    workers, readers = (start("cooperative_process", "listen", url, channel) for channel in ("work", "events"))
    store = make_store(url)
    assert [workers.hear(), readers.hear()] == ["listening"] * 2

    store.write(lambda connection: None, "work")
    store.write(lambda connection: None, "events")
    store.receipts.add(new_receipt())
    assert workers.hear() is True
    assert readers.hear() is True
    readers.kill()
    workers.kill()

    assert readers.hear_all() == []


def test_a_settled_message_wakes_those_that_wait_for_its_answer(
    url: str, start: Start, make_store: StoreMaker
) -> None:
    child, store = start("cooperative_process", "listen", url, "messages"), make_store(url)
    assert child.hear() == "listening"
    queued(store)
    reserved = reserve(store)

    settle(store, reserved, accepted())

    assert child.hear() is True
    child.kill()
    assert child.hear_all() == []


def test_a_dead_listener_delays_no_commit_and_leaves_no_pipe(
    databases: Databases, start: Start, make_store: StoreMaker
) -> None:
    url = databases.migrated()
    child = start("cooperative_process", "listen", url, "work")
    store = make_store(url)
    assert child.hear() == "listening"
    child.kill()

    store.receipts.add(new_receipt(b"one"))
    store.receipts.add(new_receipt(b"two"))

    assert store.receipts.counts().total == 2
    if databases.kind == "sqlite":
        assert list(sqlite.path_of(url).parent.glob("*-notify/*")) == []


@contextmanager
def no_descriptor_free() -> Iterator[None]:
    """This process may open no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_listeners_go_on_after_a_process_had_no_descriptor_to_notify_them(
    url: str, start: Start, make_store: StoreMaker
) -> None:
    child = start("cooperative_process", "listen", url, "work")
    store = make_store(url)
    assert child.hear() == "listening"

    with no_descriptor_free():
        store.notifier.notify_after_commit(("work",))

    store.receipts.add(new_receipt(b"one"))
    assert child.hear() is True
