"""A row that newer code has written, as during an upgrade, costs nothing else and waits for that code."""

from datetime import timedelta

from sqlalchemy import update

from app.domain.message import Message
from app.store import Store
from app.store.tables.message_schema import early_statuses, messages
from app.store.tables.sending_schema import send_scopes
from tests.support.messages import accept, new_message, status, tracker_of, webhook
from tests.support.sends import accepted, queued, refused, reserve, send, stored, waiting
from tests.support.work import Clock, add_events

MINUTE = timedelta(minutes=1)


def make_newer(store: Store, message: Message, word: str = "pondering") -> None:
    store.write(lambda c: c.execute(update(messages).where(messages.c.id == message.row_id).values(status=word)))


def test_a_message_with_a_status_of_newer_code_waits_and_holds_up_no_other(timed: Store, clock: Clock) -> None:
    newer, other = queued(timed, 2)
    make_newer(timed, newer)

    assert send(timed, accepted()) == 1

    assert (stored(timed, newer).status, stored(timed, other).status) == ("pondering", "accepted")
    assert (reserve(timed).reserved, waiting(timed)) == ([], 1)
    make_newer(timed, newer, "queued")
    clock.advance(MINUTE)
    assert send(timed, accepted("wamid.B=")) == 1


def test_a_status_of_metas_counts_for_a_message_with_a_status_of_newer_code(store: Store) -> None:
    [message] = accept(store, new_message())
    make_newer(store, message)
    kept = {"wamid": "wamid.A", "status": "pondering", "at": message.created_at, "details": b"{}"}
    store.write(lambda c: c.execute(early_statuses.insert().values(**kept)))

    add_events(store, *webhook(statuses=[status("wamid.A", tracker=tracker_of(store, message))]))

    assert stored(store, message).status == "sent"


def test_a_pause_of_a_class_of_newer_code_holds_until_its_probe_is_accepted(timed: Store, clock: Clock) -> None:
    queued(timed, 3)
    send(timed, refused(190))
    timed.write(lambda c: c.execute(update(send_scopes).values(error_class="pondering")))

    assert [pause.error_class for pause in timed.sending.pauses()] == ["pondering"]
    assert send(timed) == 0
    clock.advance(5 * MINUTE)
    assert (send(timed, accepted()), timed.sending.pauses()) == (1, [])
