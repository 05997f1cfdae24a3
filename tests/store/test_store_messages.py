"""Messages are accepted with their jobs and keys, or not at all; each key makes one message."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event

from app.domain.message import (
    AcceptedMessage,
    HistoryEntry,
    MessageStatus,
    NewMessage,
    Unaccepted,
    queue_of_number,
)
from app.store import Store, StoreRefused
from app.store.tables.message_schema import messages
from tests.support.messages import DAY, NUMBER, accept, idempotency_key, new_message
from tests.support.store import NOON
from tests.support.work import Clock, claim, done, subjects

QUEUE = queue_of_number(NUMBER)


def test_an_accepted_message_is_queued_with_its_job(timed: Store) -> None:
    new = new_message("hi", tracker="order 7")

    [message] = accept(timed, new)

    assert message == timed.messages.get(new.id)
    assert timed.messages.body(new.id) == new.body
    assert (message.status, message.to, message.tracker, message.wamid) == ("queued", new.to, "order 7", None)
    assert message.history == (HistoryEntry("queued", NOON),)
    assert (message.created_at, message.expires_at) == (NOON, NOON + DAY)
    assert subjects(claim(timed, QUEUE)) == [message.row_id]


def test_an_unknown_message_is_none(store: Store) -> None:
    assert store.messages.get("msg_" + "0" * 32) is None
    assert store.messages.get("wamid.unknown") is None
    assert store.messages.body("wamid.unknown") is None


def test_messages_to_one_contact_are_sent_one_after_the_other(store: Store) -> None:
    first, second, other = accept(store, new_message("1"), new_message("2"), new_message(to="+4915100000"))

    claimed = claim(store, QUEUE)
    assert subjects(claimed) == [first.row_id, other.row_id]

    store.jobs.settle([done(job) for job in claimed])
    assert subjects(claim(store, QUEUE)) == [second.row_id]


def test_a_key_makes_one_message(store: Store) -> None:
    first, repeat = new_message("hi", key="k"), new_message("hi", key="k")

    [accepted] = store.messages.accept([first])
    [replayed] = store.messages.accept([repeat])

    assert accepted == AcceptedMessage(store.messages.get(first.id), is_replay=False)
    assert replayed == AcceptedMessage(store.messages.get(first.id), is_replay=True)
    assert store.messages.get(repeat.id) is None
    assert len(claim(store, QUEUE)) == 1


def test_a_key_that_stands_twice_in_a_batch_makes_one_message(store: Store) -> None:
    first, repeat, other = new_message("hi", key="k"), new_message("hi", key="k"), new_message("ho", key="k")

    accepted = store.messages.accept([first, repeat, other])

    message = store.messages.get(first.id)
    assert accepted == [
        AcceptedMessage(message, is_replay=False),
        AcceptedMessage(message, is_replay=True),
        Unaccepted.KEY_CONFLICT,
    ]


def test_a_key_of_another_request_is_refused(store: Store) -> None:
    store.messages.accept([new_message("hi", key="k")])

    assert store.messages.accept([new_message("ho", key="k")]) == [Unaccepted.KEY_CONFLICT]


def test_a_late_message_is_accepted_only_as_a_repeat(store: Store) -> None:
    first, late = new_message("hi", key="k"), new_message("hi", key="k")._replace(is_late=True)
    warned = new_message(key="other")._replace(is_late=True, window_policy="warn")

    [refused, also_refused] = store.messages.accept([late, warned])
    [accepted] = store.messages.accept([first])
    [repeated] = store.messages.accept([late])

    assert (refused, also_refused) == (Unaccepted.LATE, Unaccepted.LATE)
    assert (accepted.is_replay, repeated.is_replay) == (False, True)
    assert repeated.message.id == first.id


def test_two_keys_make_two_messages_of_one_request(store: Store) -> None:
    accepted = accept(store, new_message("hi", key="a"), new_message("hi", key="b"))

    assert len({message.id for message in accepted}) == 2


def test_an_expired_key_is_free_again(timed: Store, clock: Clock) -> None:
    timed.messages.accept([new_message("hi", key="k")])
    clock.advance(7 * DAY)
    [kept] = timed.messages.accept([new_message("hi", key="k")])
    clock.advance(timedelta(seconds=1))

    [fresh] = timed.messages.accept([new_message("ho", key="k")])

    assert isinstance(kept, AcceptedMessage)
    assert kept.is_replay
    assert isinstance(fresh, AcceptedMessage)
    assert not fresh.is_replay


def test_a_key_that_is_forgotten_is_free_again(store: Store) -> None:
    first, second, third = (new_message("hi", key="k") for _ in range(3))
    store.messages.accept([first])
    store.messages.forget_key(idempotency_key("k"), second.id)
    [kept] = store.messages.accept([second])

    store.messages.forget_key(idempotency_key("k"), first.id)

    assert isinstance(kept, AcceptedMessage)
    assert kept.is_replay
    assert store.messages.accept([third]) == [AcceptedMessage(store.messages.get(third.id), is_replay=False)]


def brief(text: str) -> NewMessage:
    """Return a message whose key lives for two minutes only."""
    new = new_message(text, key=f"brief {text}")
    assert new.key is not None
    return new._replace(key=new.key._replace(lifetime=timedelta(minutes=2)))


@pytest.mark.parametrize("is_doubted", [False, True])
def test_each_key_of_a_transaction_is_free_after_its_own_lifetime(
    timed: Store, clock: Clock, is_doubted: bool
) -> None:
    first = accept(timed, brief("hi"), new_message("ho", key="k"))
    clock.advance(timedelta(minutes=3))
    timed.clock.see(timedelta(hours=1) if is_doubted else timedelta())

    again = accept(timed, brief("hi"), new_message("ho", key="k"))

    assert [repeat.id == message.id for repeat, message in zip(again, first, strict=True)] == [False, True]


def test_a_doubt_of_the_clock_that_ends_meanwhile_frees_no_key(timed: Store, clock: Clock) -> None:
    [first] = accept(timed, new_message("hi", key="k"))
    clock.advance(2 * idempotency_key("k").lifetime)
    timed.clock.see(timedelta(hours=1))

    def end_doubt(_c: object, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM idempotency_keys" in statement:
            cursor.execute("UPDATE clock_jump SET doubted_until = NULL")

    event.listen(Engine, "before_cursor_execute", end_doubt)
    try:
        [repeat] = accept(timed, new_message("hi", key="k"))
    finally:
        event.remove(Engine, "before_cursor_execute", end_doubt)

    assert repeat.id == first.id


def test_the_key_of_an_erased_message_does_not_send_it_again(store: Store) -> None:
    store.messages.accept([new_message("hi", key="k")])
    store.write(lambda c: c.execute(delete(messages)))

    assert store.messages.accept([new_message("hi", key="k")]) == [Unaccepted.ERASED]


def test_of_concurrent_requests_with_one_key_one_makes_a_message(store: Store) -> None:
    new = [new_message("hi", key="k") for _ in range(20)]

    with ThreadPoolExecutor(5) as pool:
        accepted = [one for [one] in pool.map(lambda message: store.messages.accept([message]), new)]

    assert all(isinstance(one, AcceptedMessage) for one in accepted)
    assert len({one.message.id for one in accepted if isinstance(one, AcceptedMessage)}) == 1
    assert sum(isinstance(one, AcceptedMessage) and not one.is_replay for one in accepted) == 1
    assert len(claim(store, QUEUE)) == 1


def test_a_transaction_that_fails_reserves_no_key(store: Store) -> None:
    new = new_message("hi", key="k")
    refused = new_message("ho")._replace(id=new.id)

    with pytest.raises(StoreRefused):
        store.messages.accept([new, refused])
    [accepted] = store.messages.accept([new_message("hi", key="k")])

    assert isinstance(accepted, AcceptedMessage)
    assert not accepted.is_replay


def test_messages_are_listed_newest_first(store: Store) -> None:
    one, two, three = accept(store, new_message("1"), new_message("2", to="+49151000"), new_message("3"))

    assert store.messages.page(limit=2) == [three, two]
    assert store.messages.page(limit=2, before=two.row_id) == [one]
    assert store.messages.page(contact="4915112345678", limit=9) == [three, one]
    assert store.messages.page(status=MessageStatus.QUEUED, limit=9) == [three, two, one]
    assert store.messages.page(status=MessageStatus.UNKNOWN, limit=9) == []


def test_a_phone_number_and_a_user_id_in_one_message_stay_two_contacts(store: Store) -> None:
    both = new_message(to="+491511")._replace(recipient="DE.1")

    accept(store, both, new_message(to="+491511"))

    assert len(store.messages.page(contact="491511", limit=9)) == 2
    assert store.messages.page(contact="DE.1", limit=9) == []
