"""Erasing a contact leaves nothing of it, and loses nothing of others. On SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select
from sqlalchemy.engine import make_url

from app.domain.erasure import EraseStep, ErasureCursor, ErasureStage
from app.domain.receipt import Stored
from app.domain.split import SplitEvent
from app.store import Store
from app.store.tables.schema import consumers, deliveries, erased_events, event_names, events, jobs, queues, receipts
from app.store.transactions.erase_contact import SCAN_ROWS
from app.store.transactions.prune import STEP_ROWS
from tests.support.events import new_event, put_delivery, put_events
from tests.support.store import NOON, StoreMaker, new_receipt, sqlite_databases
from tests.support.work import add_events

PHONE, USER = "4915112345678", "DE.13491208655302741918"
OTHER_PHONE, OTHER_USER = "4917755566677", "DE.99991208655302741918"
NOW = NOON + timedelta(hours=1)


@pytest.fixture
def store(url: str, make_store: StoreMaker) -> Store:
    """An open store whose clock does not move."""
    return make_store(url, clock=lambda: NOW)


def erase(store: Store, contact: str) -> EraseStep:
    """Erase in all its steps, and return their sum."""
    steps = list(steps_of(store, contact))
    counts = ("events", "deliveries", "receipts", "pending", "unreadable")
    remaining = tuple(event for step in steps for event in step.remaining)
    return EraseStep(**{name: sum(getattr(step, name) for step in steps) for name in counts}, remaining=remaining)


def steps_of(store: Store, contact: str) -> Iterator[EraseStep]:
    cursor: ErasureCursor | None = None
    while True:
        step = store.retention.erase(contact, cursor)
        yield step
        if step.next is None:
            return
        cursor = step.next


def column(store: Store, of_table: Any) -> list[Any]:
    return list(store.database.read(lambda c: c.execute(select(of_table).order_by(of_table)).scalars().all()))


def put_receipt(store: Store, *names: str, state: str = "split") -> bytes:
    """Add a receipt in this state that names these contacts, and return its body."""
    body = json.dumps({"messages": [{"from": name, "text": {"body": f"I am {name}"}} for name in names]}).encode()
    store.receipts.add(new_receipt(body))
    store.write(lambda c: c.execute(receipts.update().where(receipts.c.body == body).values(state=state)))
    return body


def body_of(store: Store, number: int) -> bytes | None:
    return store.receipts.body(f"rcp_{number}")


def test_a_contact_is_erased_with_its_events_deliveries_jobs_and_bodies(store: Store) -> None:
    put_receipt(store, PHONE)
    ours = put_events(store, new_event("a", wa_id=PHONE), new_event("b", wa_id=PHONE), receipt=1)
    put_delivery(store, ours[0], state="open")
    put_delivery(store, ours[1], state="dead")

    erased = erase(store, PHONE)

    assert erased == EraseStep(events=2, deliveries=2, receipts=1)
    assert column(store, events.c.id) == []
    assert column(store, deliveries.c.id) == []
    assert column(store, jobs.c.queue) == ["prune", "reconcile", "split", "token", "watch"]
    assert body_of(store, 1) is None
    assert erase(store, PHONE) == EraseStep()


def test_other_contacts_keep_their_events_and_bodies(store: Store) -> None:
    put_receipt(store, PHONE)
    theirs = put_receipt(store, OTHER_PHONE)
    put_events(store, new_event("a", wa_id=PHONE), receipt=1)
    (other,) = put_events(store, new_event("b", wa_id=OTHER_PHONE), receipt=2)
    kept = put_delivery(store, other, state="open")

    erase(store, PHONE)

    assert column(store, events.c.id) == [other]
    assert column(store, deliveries.c.id) == [kept]
    assert "deliver:crm" in column(store, jobs.c.queue)
    assert body_of(store, 2) == theirs


def test_an_event_of_another_from_the_same_receipt_stays(store: Store) -> None:
    put_receipt(store, PHONE, OTHER_PHONE)
    put_events(store, new_event("a", wa_id=PHONE), receipt=1)
    (other,) = put_events(store, new_event("b", wa_id=OTHER_PHONE), receipt=1)

    erase(store, PHONE)

    assert column(store, events.c.id) == [other]
    assert body_of(store, 1) is None


@pytest.mark.parametrize("contact", [PHONE, USER])
def test_the_other_names_of_a_contact_are_found(store: Store, contact: str) -> None:
    put_receipt(store, PHONE)
    put_receipt(store, USER)
    put_events(store, new_event("phone only", wa_id=PHONE, user_id=None), receipt=9)
    put_events(store, new_event("user only", wa_id=None, user_id=USER), receipt=9)
    put_events(store, new_event("both", wa_id=PHONE, user_id=USER), receipt=9)

    erased = erase(store, contact)

    assert erased == EraseStep(events=3, receipts=2)
    assert column(store, events.c.id) == []


def test_an_earlier_owner_of_the_number_keeps_its_events_when_a_user_id_is_erased(store: Store) -> None:
    put_events(store, new_event("now", wa_id=PHONE, user_id=USER))
    (before,) = put_events(store, new_event("before", wa_id=PHONE, user_id=OTHER_USER))

    erased = erase(store, USER)

    assert erased.events == 1
    assert column(store, events.c.id) == [before]


def test_an_erasure_that_was_interrupted_can_be_started_again(store: Store) -> None:
    put_receipt(store, USER)
    put_events(store, new_event("both", wa_id=PHONE, user_id=USER), receipt=9)
    put_events(store, *[new_event(n, wa_id=None, user_id=USER) for n in range(STEP_ROWS + 1)], receipt=9)
    for _, step in zip(range(6), steps_of(store, PHONE), strict=False):
        assert step.next is not None

    erased = erase(store, PHONE)

    assert erased.events == 2
    assert column(store, events.c.id) == []


SPELLED = "553188880001"


def add_named(store: Store, name: str, *names: str, user_id: str | None = None) -> None:
    """Add an event by the split: `names` are phone numbers, of which the first is that of the item."""
    entries = [{"wa_id": other} for other in names[1:]]
    add_events(store, SplitEvent(new_event(name, wa_id=names[0], user_id=user_id, contacts=entries)))


def left_in(store: Store) -> list[str]:
    return [event.data["text"] for event in store.events.after(0, limit=99)]


@pytest.mark.parametrize("given", [PHONE, SPELLED, USER])
def test_every_name_of_a_contact_erases_the_events_of_all(store: Store, given: str) -> None:
    add_named(store, "spelled in two ways", PHONE, SPELLED)
    add_named(store, "in one way", PHONE)
    add_named(store, "in the other way", SPELLED)
    add_named(store, "with a user id", SPELLED, user_id=USER)
    add_named(store, "of another", OTHER_PHONE)

    erased = erase(store, given)

    assert (erased.events, erased.remaining) == (4, ())
    assert left_in(store) == ["of another"]
    assert column(store, event_names.c.name) == []


def test_a_chain_of_names_that_was_interrupted_anywhere_is_erased_by_a_second_erasure(store: Store) -> None:
    for number in range(4):
        add_named(store, f"link {number}", f"49151000000{number}", f"49151000000{number + 1}")
        add_named(store, f"alone {number}", f"49151000000{number + 1}")
    erasure = steps_of(store, "491510000000")

    for _, _step in zip(range(6), erasure, strict=False):  # two steps that look, twice, and the first that deletes
        pass
    interrupted = left_in(store)
    erase(store, "491510000000")

    assert 0 < len(interrupted) < 8
    assert left_in(store) == []


def test_a_number_that_a_user_id_led_to_erases_no_other_user(store: Store) -> None:
    add_named(store, "ours", PHONE, SPELLED, user_id=USER)
    add_named(store, "before us", SPELLED, user_id=OTHER_USER)

    erased = erase(store, USER)

    assert left_in(store) == ["before us"]
    assert erased.remaining == (new_event("before us").id,)


def test_an_event_about_another_that_names_the_contact_remains_and_is_reported(store: Store) -> None:
    body = put_receipt(store, PHONE)
    card = {"contacts": [{"phones": [{"wa_id": PHONE}]}]}
    put_events(store, new_event("card", wa_id=OTHER_PHONE, raw=card), new_event("unknown", wa_id=None, raw=card))
    put_events(store, new_event("other number", wa_id=OTHER_PHONE, raw={"wa_id": f"1{PHONE}"}))

    erased = erase(store, PHONE)

    assert PHONE.encode() in body
    assert (erased.events, erased.receipts) == (0, 1)
    assert erased.remaining == (new_event("card").id, new_event("unknown").id)


def test_pruning_an_event_deletes_its_names(store: Store) -> None:
    add_named(store, "old", PHONE, SPELLED)

    store.retention.prune_events(before=NOW, after=0, destinations=["crm"])

    assert column(store, event_names.c.name) == []


def test_the_body_of_an_erased_event_is_always_cleared(store: Store) -> None:
    put_receipt(store, "somebody")
    put_events(store, new_event("a", wa_id=PHONE), receipt=1)

    erased = erase(store, PHONE)

    assert erased.receipts == 1
    assert body_of(store, 1) is None


def test_receipts_that_are_not_split_keep_their_bodies_and_are_counted(store: Store) -> None:
    pending = put_receipt(store, PHONE, state="pending")
    unreadable = put_receipt(store, PHONE, OTHER_PHONE, state="unreadable")

    erased = erase(store, PHONE)

    assert erased == EraseStep(pending=1, unreadable=1)
    assert (body_of(store, 1), body_of(store, 2)) == (pending, unreadable)


@pytest.mark.parametrize("body", [b"+%s", b'"%s"', b"\\n%s,", b"tel:%s", b"\\u00e9%s\\u00e9"])
def test_a_name_is_found_wherever_it_is_in_the_body(store: Store, body: bytes) -> None:
    store.receipts.add(new_receipt(body % PHONE.encode()))
    store.write(lambda c: c.execute(receipts.update().values(state="split")))

    assert erase(store, PHONE).receipts == 1


@pytest.mark.parametrize("body", [b"1%s", b"%s0", b"491511234567", b"", b"\x00\xff"])
def test_a_longer_number_is_another_number(store: Store, body: bytes) -> None:
    store.receipts.add(new_receipt(body % PHONE.encode() if b"%" in body else body))
    store.write(lambda c: c.execute(receipts.update().values(state="split")))

    assert erase(store, PHONE).receipts == 0


def test_a_cleared_body_that_comes_again_is_recognised(store: Store) -> None:
    body = put_receipt(store, PHONE)
    erase(store, PHONE)

    stored = store.receipts.add_all([new_receipt(body), new_receipt(body + b" ")])

    receipt = store.receipts.get("rcp_1")
    assert stored == [Stored.DUPLICATE, Stored.ACCEPTED]
    assert receipt is not None
    assert (receipt.size, receipt.duplicates) == (len(body), 1)


def test_a_receipt_with_a_cleared_body_cannot_be_split_again(store: Store) -> None:
    put_receipt(store, PHONE)
    erase(store, PHONE)

    receipt = store.receipts.reprocess("rcp_1")

    assert receipt is not None
    assert (receipt.state, receipt.erased) == ("split", True)


def test_only_the_ids_of_erased_events_are_kept(store: Store) -> None:
    new = new_event("a", wa_id=PHONE)
    put_events(store, new)

    erase(store, PHONE)

    kept = store.database.read(lambda c: c.execute(select(erased_events)).one())
    assert (f"evt_{bytes(kept.event_id).hex()}", kept.at) == (new.id, NOW)


def test_the_delivery_behind_an_erased_one_is_due(store: Store) -> None:
    (ours,) = put_events(store, new_event("a", wa_id=PHONE))
    (other,) = put_events(store, new_event("b", wa_id=OTHER_PHONE))
    put_delivery(store, ours, state="open", order_key=7)
    put_delivery(store, other, state="open", order_key=7, due=False)

    erase(store, PHONE)

    due = select(jobs.c.due_at).where(jobs.c.queue == "deliver:crm")
    assert store.database.read(lambda c: c.execute(due).scalars().all()) == [NOW]


def test_every_step_is_bounded(store: Store) -> None:
    rows = [new_receipt(b"%d %s" % (number, PHONE.encode())) for number in range(SCAN_ROWS + 1)]
    for start in range(0, len(rows), 100):  # one statement for all would take a busy machine too long
        store.receipts.add_all(rows[start : start + 100])
    store.write(lambda c: c.execute(receipts.update().values(state="split")))
    put_events(store, *[new_event(number, wa_id=PHONE) for number in range(STEP_ROWS + 1)], receipt=1)

    steps = [(step.receipts, step.events) for step in steps_of(store, PHONE)]

    rows, file = steps[:9], steps[9:]
    assert rows == [(SCAN_ROWS, 0), (1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, STEP_ROWS), (0, 1), (0, 0)]
    assert set(file) == {(0, 0)}


def test_receipts_that_come_during_an_erasure_are_not_searched(store: Store) -> None:
    put_receipt(store, PHONE)
    first = store.retention.erase(PHONE, None)
    later = put_receipt(store, PHONE, OTHER_PHONE)

    second = store.retention.erase(PHONE, first.next)

    assert first.next == ErasureCursor(ErasureStage.RECEIPTS, 1, 1)
    assert (second.receipts, body_of(store, 2)) == (0, later)


def everything(store: Store) -> bytes:
    """Return every value of every table."""
    tables: list[Table] = [receipts, events, event_names, deliveries, jobs, queues, consumers, erased_events]
    return store.database.read(lambda c: b"".join(repr(c.execute(select(t)).all()).encode() for t in tables))


def put_many(store: Store) -> None:
    """Add events of a contact among those of others, in small and large receipts."""
    for number in range(120):
        ours = number % 3 == 0
        phone, user = (PHONE, USER) if ours else (f"49170{number:07}", f"DE.{number:012}")
        body = json.dumps({"from": phone, "text": "x" * (number * 90), "user_id": user}).encode()
        store.receipts.add(new_receipt(body))
        raw = {"from": phone, "text": {"body": "y" * (number * 90)}, "user_id": user}
        (event,) = put_events(store, new_event(number, wa_id=phone, user_id=user, raw=raw), receipt=number + 1)
        put_delivery(store, event, state="open" if number % 2 else "delivered")
    store.write(lambda c: c.execute(receipts.update().values(state="split")))


def test_no_table_has_a_name_of_the_contact_any_more(store: Store) -> None:
    put_many(store)

    erased = erase(store, PHONE)

    assert erased == EraseStep(events=40, deliveries=40, receipts=40)
    left = everything(store)
    assert PHONE.encode() not in left
    assert USER.encode() not in left
    assert len(column(store, events.c.id)) == 80


def test_no_file_of_the_database_has_a_name_of_the_contact_any_more(tmp_path: Path, make_store: StoreMaker) -> None:
    url = sqlite_databases(tmp_path).migrated()
    store = make_store(url)
    put_many(store)

    erase(store, USER)

    path = Path(str(make_url(url).database))
    contents = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())
    assert b"49170" in contents
    assert PHONE.encode() not in contents
    assert USER.encode() not in contents
