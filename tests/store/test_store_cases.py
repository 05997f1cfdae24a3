"""What users of other gateways suffered from when they sent, each as a case: told in public threads, in our words."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.message import Message
from app.domain.meta.graph_error_table import hint_of
from app.domain.send_answer import Accepted, Ambiguous
from app.store import Store
from tests.support.messages import accept, new_message, status, tracker_of, webhook
from tests.support.sends import queued, refused, reserve, send, stored, waiting
from tests.support.work import Clock, add_events

MINUTE = timedelta(minutes=1)
FAILURE = {
    "code": 131053,
    "title": "Media upload error",
    "message": "Media upload error",
    "error_data": {"details": "Downloading media from weblink failed with http code 403"},
    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
}


def fails(store: Store, message: Message, wamid: str, error: dict[str, Any]) -> None:
    """Let Meta tell that a message which it had accepted has failed."""
    add_events(store, *webhook(statuses=[status(wamid, "failed", errors=[error])]))
    assert stored(store, message).status == "failed"


def test_a_customer_who_could_not_be_reached_once_is_written_to_again(timed: Store) -> None:
    [first] = accept(timed, new_message())
    send(timed, Accepted("wamid.A="))
    fails(timed, first, "wamid.A=", {"code": 131026, "title": "Message undeliverable"})

    [second] = accept(timed, new_message())

    assert send(timed, Accepted("wamid.B=")) == 1
    assert stored(timed, second).status == "accepted"


def test_an_unclear_error_is_tried_again_and_each_attempt_is_shown(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)

    for answer in (refused(131000), refused(131000), Accepted("wamid.A=")):
        assert send(timed, answer) == 1
        clock.advance(MINUTE)

    found = stored(timed, message)
    assert (found.status, found.error, waiting(timed)) == ("accepted", None, 0)
    assert [entry.status for entry in found.history].count("sending") == 3


def test_an_unclear_error_that_comes_after_the_acceptance_sends_nothing_again(timed: Store, clock: Clock) -> None:
    [message] = queued(timed)
    send(timed, Accepted("wamid.A="))

    fails(timed, message, "wamid.A=", {"code": 131000, "title": "Something went wrong"})
    clock.advance(MINUTE)

    assert (reserve(timed).reserved, waiting(timed)) == ([], 0)


def test_every_word_of_a_failure_is_kept_although_a_later_status_tells_none(timed: Store) -> None:
    [message] = queued(timed)
    send(timed, Accepted("wamid.A="))
    fails(timed, message, "wamid.A=", FAILURE)

    add_events(timed, *webhook(statuses=[status("wamid.A=", "failed", recipient_id="4915100000001")]))

    error = stored(timed, message).error
    assert error is not None
    assert {name: error[name] for name in FAILURE} == FAILURE
    assert (error["class"], error["hint"].startswith("upload the file")) == ("content", True)


@pytest.mark.parametrize("word", ["sent", "delivered"])
def test_a_repeat_after_a_lost_answer_gets_the_message_that_a_status_has_resolved(timed: Store, word: str) -> None:
    new = new_message(key="order 7", text="hi")
    [message] = accept(timed, new)
    send(timed, Ambiguous("no answer in time"))
    assert stored(timed, message).status == "unknown"
    add_events(timed, *webhook(statuses=[status("wamid.A=", word, tracker=tracker_of(timed, message))]))

    [repeated] = accept(timed, new_message(key="order 7", text="hi"))

    assert (repeated.id, repeated.status, repeated.wamid) == (message.id, word, "wamid.A=")
    assert waiting(timed) == 0


def test_a_wrong_phone_number_id_fails_no_message_and_a_resume_sends_each_once(timed: Store, clock: Clock) -> None:
    all_of_them = queued(timed, 5)
    send(timed, refused(100, subcode=33))
    [pause] = [pause for pause in timed.sending.pauses() if not pause.is_over]

    timed.sending.resume(pause.name)
    clock.advance(MINUTE)
    wamids = [Accepted(f"wamid.{number}=") for number in range(5)]

    assert "check the phone number id" in str(hint_of(pause.code, pause.error_class))
    assert send(timed, *wamids) == 5
    assert {stored(timed, message).status for message in all_of_them} == {"accepted"}
