"""The singleton job that prunes: a run in short steps, with a pause after each."""

import logging
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.clock_trust import DOUBT_AFTER_JUMP
from app.domain.job import PRUNE_EVERY, PRUNE_QUEUE, Job, Retry
from app.domain.meta.media import Media
from app.gateway import Gateway
from app.retention.prune import DOUBTED_EVERY, Pruner
from app.store import EarlyStatusesKept
from app.store.engine import sqlite
from app.store.tables.message_schema import (
    contact_links,
    conversations,
    early_statuses,
    idempotency_keys,
    messages,
)
from app.store.tables.schema import receipts
from app.store.tables.sending_schema import send_pairs
from app.store.transactions.follow_media import add_media
from app.store.transactions.prune import STEP_ROWS
from tests.support.events import new_event, put_events
from tests.support.messages import NUMBER, accept, new_message
from tests.support.sqlite_bytes import execute
from tests.support.store import NOON, new_receipt
from tests.support.work import Clock

JOB = Job(1, PRUNE_QUEUE, 0, 0, 1)


def put_old(gateway: Gateway, number: int) -> None:
    """Put in receipts and events that are older than the retention."""
    gateway.store.receipts.add_all([new_receipt(b"%d" % index) for index in range(number)])
    gateway.store.write(lambda c: c.execute(receipts.update().values(state="split")))
    put_events(gateway.store, *map(new_event, range(number)))


def count_rows(gateway: Gateway) -> tuple[int, int]:
    return gateway.store.receipts.counts().total, gateway.store.events.counts().total


def test_a_run_deletes_everything_old_and_the_next_one_is_in_an_hour(gateway: Gateway) -> None:
    put_old(gateway, STEP_ROWS + 1)

    outcome = Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert outcome == Retry(PRUNE_EVERY)
    assert count_rows(gateway) == (0, 0)


def test_what_is_younger_than_the_retention_stays(gateway: Gateway) -> None:
    now = gateway.clock()
    put_events(gateway.store, new_event("young"), received_at=now - timedelta(days=29))
    put_events(gateway.store, new_event("old"), received_at=now - timedelta(days=31))

    Pruner(gateway).prune(JOB)

    assert [event.data["text"] for event in gateway.store.events.after(0, limit=9)] == ["young"]


def put_old_file(gateway: Gateway, media_id: str) -> None:
    """Put in a file that came with an event which is older than the retention."""
    [sequence] = put_events(gateway.store, new_event(media_id))
    gateway.store.write(lambda c: add_media(c, NOON, [(sequence, None, Media(media_id))]))


def test_files_go_with_the_events_that_they_came_with(gateway: Gateway) -> None:
    put_old_file(gateway, "17")
    gateway.media_folder.write("17", [b"a picture"])
    gateway.media_folder.write("18", [b"of no event, and young"])

    Pruner(gateway, sleep=lambda _: None).prune(JOB)

    assert (gateway.media_folder.has("17"), gateway.media_folder.has("18")) == (False, True)
    assert (gateway.store.media.deleted(), gateway.store.media.known(["17"])) == ([], set())


def test_files_that_cannot_be_removed_wait_for_the_next_run(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    put_old_file(gateway, "17")
    (gateway.media_folder.path / "17" / "17" / "a folder in its place").mkdir(parents=True)

    outcome = Pruner(gateway, sleep=lambda _: None).prune(JOB)

    assert outcome == Retry(PRUNE_EVERY)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == ["media.not_removed"]
    assert [media_id for _, media_id in gateway.store.media.deleted()] == ["17"]


def test_nothing_is_old_by_a_clock_that_is_doubted(gateway: Gateway) -> None:
    put_old(gateway, 3)
    gateway.store.clock.see(DOUBT_AFTER_JUMP)

    outcome = Pruner(gateway, sleep=lambda _: None).prune(JOB)

    assert outcome == Retry(DOUBTED_EVERY)
    assert count_rows(gateway) == (3, 3)


def test_a_run_that_reaches_its_time_limit_continues_at_once(gateway: Gateway) -> None:
    put_old(gateway, 3)
    pruner = Pruner(gateway, sleep=lambda _: None, run_seconds=0)

    outcome = pruner.prune(JOB)

    assert outcome == Retry(timedelta())
    assert count_rows(gateway) == (3, 3)


def test_rows_that_must_stay_do_not_hold_up_later_ones(gateway: Gateway) -> None:
    gateway.store.receipts.add_all([new_receipt(b"waits %d" % number) for number in range(STEP_ROWS)])
    gateway.store.receipts.add(new_receipt(b"behind"))
    behind = receipts.c.id == STEP_ROWS + 1
    gateway.store.write(lambda c: c.execute(receipts.update().where(behind).values(state="split")))

    outcome = Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert outcome == Retry(PRUNE_EVERY)
    assert gateway.store.receipts.get(f"rcp_{STEP_ROWS + 1}") is None


def test_there_is_a_pause_after_each_step(gateway: Gateway) -> None:
    put_old(gateway, STEP_ROWS + 1)
    pauses: list[float] = []

    Pruner(gateway, sleep=pauses.append, run_seconds=60).prune(JOB)

    assert len(pauses) >= 5
    assert all(seconds > 0 for seconds in pauses)


def test_a_run_that_deletes_something_leaves_nothing_of_it_in_the_files(gateway: Gateway) -> None:
    gateway.store.receipts.add(new_receipt(b"said in confidence " * 500))
    gateway.store.write(lambda c: c.execute(receipts.update().values(state="split")))
    put_events(gateway.store, new_event("in confidence", raw={"text": "said in confidence " * 300}))
    folder = sqlite.path_of(gateway.settings.storage.url).parent

    Pruner(gateway, sleep=lambda _: None).prune(JOB)

    files = [file.read_bytes() for file in folder.iterdir() if file.is_file()]
    assert any(files)
    assert not any(b"in confidence" in content for content in files)


def as_left_by_older_code(gateway: Gateway, sql: str = "SELECT 1") -> None:
    with closing(sqlite.driver().connect(sqlite.path_of(gateway.settings.storage.url))) as connection:
        connection.executescript(f"PRAGMA user_version = 0; {sql}")


def test_the_free_pages_of_older_code_are_wiped_once(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    as_left_by_older_code(gateway)

    for _ in range(2):
        Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert [record.message for record in caplog.records].count("store.wiped") == 1


def marks_of(gateway: Gateway) -> object:
    return execute(gateway.settings.storage.url, "PRAGMA user_version")[0][0]


def test_what_sqlite_leaves_between_rows_is_removed_at_the_start_and_once_a_day(gateway: Gateway) -> None:
    clock = Clock()
    pruner = Pruner(replace(gateway, clock=clock), sleep=lambda _: None, run_seconds=60)
    marks = []

    for hours in (0, 1, 24):
        clock.advance(timedelta(hours=hours))
        as_left_by_older_code(gateway)
        pruner.prune(JOB)
        marks.append(marks_of(gateway))

    assert marks == [3, 1, 3]


def test_a_reader_of_an_older_state_keeps_no_run_from_pruning(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    put_old(gateway, 1)
    with closing(sqlite.driver().connect(sqlite.path_of(gateway.settings.storage.url))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM receipts").fetchall()

        outcome = Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert outcome == Retry(PRUNE_EVERY)
    assert count_rows(gateway) == (0, 0)
    [line] = [record for record in caplog.records if record.message == "store.not_wiped"]
    assert "a reader still uses an older state" in vars(line)["reason"]


def test_free_pages_that_cannot_be_wiped_keep_no_run_from_pruning(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    as_left_by_older_code(gateway, "CREATE TABLE gone (x); DROP TABLE gone; CREATE VIEW wiped_pages AS SELECT 1")
    pruner = Pruner(gateway, sleep=lambda _: None, run_seconds=60)

    first = pruner.prune(JOB)
    put_old(gateway, 3)
    second = pruner.prune(JOB)

    assert (first, second) == (Retry(PRUNE_EVERY), Retry(PRUNE_EVERY))
    assert count_rows(gateway) == (0, 0)
    assert [record.message for record in caplog.records].count("store.not_wiped") == 2


def test_old_messages_that_are_over_are_deleted_with_what_belongs_to_them(gateway: Gateway) -> None:
    store = gateway.store
    over, young, waiting = accept(store, *(new_message(str(n), to=f"+49151{n}", key=str(n)) for n in range(3)))
    store.messages.cancel(over)
    store.messages.cancel(young)
    old = gateway.clock() - timedelta(days=31)
    store.write(lambda c: c.execute(messages.update().where(messages.c.id != young.row_id).values(created_at=old)))
    store.write(lambda c: c.execute(idempotency_keys.update().values(created_at=old)))
    link = {"name": "491510", "contact": 1}
    store.write(lambda c: c.execute(contact_links.insert().values(link)))
    talk = {"phone_number_id": NUMBER, "contact": 2, "updated_at": old}
    store.write(lambda c: c.execute(conversations.insert().values(talk)))
    pace = {"phone_number_id": NUMBER, "contact": 2, "refusals": 0, "full_at": old}
    store.write(lambda c: c.execute(send_pairs.insert().values(pace)))
    early = {"wamid": "wamid.A", "status": "failed", "at": gateway.clock() - timedelta(days=2), "details": b"{}"}
    store.write(lambda c: c.execute(early_statuses.insert().values(early)))

    Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert {message.id for message in store.messages.page(limit=9)} == {young.id, waiting.id}
    for table in (idempotency_keys, contact_links, conversations, early_statuses, send_pairs):
        assert store.database.read(lambda c, table=table: c.execute(table.select()).all()) == []  # type: ignore[misc]


@pytest.mark.parametrize(("status", "days", "kept"), [("unknown", 6, 1), ("unknown", 8, 0), ("failed", 6, 0)])
def test_a_status_without_a_tracker_waits_for_the_answer_to_an_unknown_message(
    gateway: Gateway, status: str, days: int, kept: int
) -> None:
    store, at = gateway.store, gateway.clock() - timedelta(days=days)
    accept(store, new_message())
    store.write(lambda c: c.execute(messages.update().values(status=status)))
    early = {"wamid": "wamid.A", "status": "sent", "at": at, "details": b"{}", "phone_number_id": NUMBER}
    others = [{**early, "phone_number_id": number} for number in ("another", None)]
    store.write(lambda c: c.execute(early_statuses.insert(), [early, *others]))

    Pruner(gateway, sleep=lambda _: None, run_seconds=60).prune(JOB)

    assert len(store.database.read(lambda c: c.execute(early_statuses.select()).all())) == kept


def test_of_many_statuses_without_a_tracker_the_oldest_wait_and_the_new_ones(gateway: Gateway) -> None:
    store, now = gateway.store, gateway.clock()
    accept(store, new_message())
    store.write(lambda c: c.execute(messages.update().values(status="unknown")))
    early = {"status": "sent", "details": b"{}", "phone_number_id": NUMBER}
    ages = (*[timedelta(days=2)] * 5, timedelta())
    rows = [{**early, "wamid": str(number), "at": now - age} for number, age in enumerate(ages)]
    store.write(lambda c: c.execute(early_statuses.insert(), rows))

    store.message_retention.prune_early_statuses(
        EarlyStatusesKept(now - timedelta(hours=1), now - timedelta(days=7), most=2), after=0
    )

    kept = select(early_statuses.c.wamid).order_by(early_statuses.c.id)
    assert store.database.read(lambda c: list(c.execute(kept).scalars())) == ["0", "1", "5"]
