"""A message that Meta refuses with an error that stops its scope fails only if the error is its own fault."""

from datetime import timedelta

from app.domain.message import Message
from app.store import Store
from tests.support.sends import accepted, queued, refused, reserve, send, settle, stored
from tests.support.work import Clock

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DENIED = refused(10)


def send_all(store: Store, *stopped: Message) -> set[int]:
    """Let all that may leave go; Meta refuses these and accepts the others. Return which ones it has accepted."""
    ids = {message.row_id for message in stopped}
    left = reserve(store)
    settle(store, left, *(DENIED if job.subject in ids else accepted() for job, _ in left.reserved))
    return {job.subject for job, _ in left.reserved} - ids


def statuses(store: Store, *messages: Message) -> list[str]:
    return [stored(store, message).status for message in messages]


def test_a_message_that_meta_stops_for_a_reason_of_its_own_fails_and_stops_no_other(
    timed: Store, clock: Clock
) -> None:
    [own] = queued(timed)
    send_all(timed, own)
    clock.advance(SECOND)
    others = queued(timed, 3)
    clock.advance(5 * MINUTE)
    probe = send_all(timed, own)
    clock.advance(SECOND)
    send_all(timed, own)
    between = stored(timed, own).status
    clock.advance(90 * SECOND)
    others += queued(timed)
    send_all(timed, own)
    clock.advance(30 * SECOND)

    send_all(timed, own)

    assert (probe, between) == ({others[0].row_id}, "queued")
    assert statuses(timed, own, *others) == ["failed", *["accepted"] * 4]
    assert timed.sending.pauses() == []


def test_no_message_fails_because_its_account_is_stopped_again_and_again(timed: Store, clock: Clock) -> None:
    messages = queued(timed, 3)
    send_all(timed, *messages)
    for _ in range(3):
        clock.advance(5 * MINUTE)
        queued(timed)
        assert len(send_all(timed, *messages)) == 1  # the probe: the account works again
        clock.advance(3 * MINUTE)
        send_all(timed, *messages)  # and is stopped once more
        clock.advance(3 * MINUTE)
        messages += queued(timed, 2)
        send_all(timed, *messages)

    assert set(statuses(timed, *messages)) == {"queued"}
    for _ in range(4):
        clock.advance(5 * MINUTE)
        send(timed, accepted())
    assert set(statuses(timed, *messages)) == {"accepted"}
