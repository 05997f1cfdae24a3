"""A message's id, its contact, and its status, which only moves forward."""

from datetime import timedelta
from itertools import permutations

import pytest

from app.domain.message import (
    MESSAGE_ID,
    MessageStatus,
    contact_number,
    later_status,
    new_message_id,
    queue_of_number,
)
from tests.support.store import NOON


def test_ids_differ_and_sort_by_time() -> None:
    ids = [new_message_id(NOON + timedelta(milliseconds=passed)) for passed in range(5)]

    assert ids == sorted(set(ids))
    assert all(MESSAGE_ID.fullmatch(message_id) for message_id in ids)


def test_a_number_has_a_queue() -> None:
    assert queue_of_number("106540352242922") == "send:106540352242922"


def test_a_name_is_a_contact_by_itself() -> None:
    assert contact_number("4915112345678") == contact_number("4915112345678") != contact_number("4915112345679")
    assert 0 <= contact_number("DE.1") < 2**63


@pytest.mark.parametrize(
    ("told", "end"),
    [
        (("sent", "delivered", "read"), "read"),
        (("sent", "failed"), "failed"),
        (("delivered", "failed"), "delivered"),
        (("accepted", "unknown"), "accepted"),
        (("unknown", "sent"), "sent"),
        (("read", "played", "delivered"), "played"),
    ],
)
def test_statuses_lead_to_the_same_end_in_every_order(told: tuple[str, ...], end: str) -> None:
    for order in permutations(told):
        status = MessageStatus.SENDING
        for one in order:
            status = later_status(status, MessageStatus(one))
        assert status == end
