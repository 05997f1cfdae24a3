"""Events of a message's own life: which are asked for, which changes make one, and what it says."""

import pytest

from app.domain.event import type_matches
from app.domain.message import HistoryEntry, MessageStatus
from app.domain.outbound_event import STATUSES, asked_for, changes_of, event_of_change
from app.domain.subscription import wants
from app.web.examples.outbound import MESSAGE, SENT_AT


def test_only_a_glob_that_begins_with_the_family_asks_for_them() -> None:
    assert asked_for(["*", "*.failed", "message.*"]) == frozenset()
    assert asked_for(["*", "outbound.*"]) == frozenset(STATUSES)
    assert asked_for(["outbound.f*"]) == {MessageStatus.FAILED}
    assert type_matches("outbound.failed", ["*"]) is False
    assert type_matches("message.text", ["*", "outbound.*"]) is True


@pytest.mark.parametrize(
    ("to", "recipient", "names"),
    [
        ("+4915112345678", None, ("4915112345678", None)),
        ("Y2FwaV9n", None, (None, None)),
        (None, "DE.1", (None, "DE.1")),
        ("+4915112345678", "DE.1", ("4915112345678", None)),
    ],
)
def test_an_event_names_its_customer(
    to: str | None, recipient: str | None, names: tuple[str | None, str | None]
) -> None:
    message = MESSAGE._replace(to=to, recipient=recipient, history=(HistoryEntry("sending", SENT_AT),))

    [change] = changes_of((), message, frozenset(STATUSES))
    event = event_of_change(change)

    assert (event.contact.wa_id, event.contact.user_id) == names
    assert wants(["outbound.sending"], [], event)


def test_a_failure_after_the_delivery_is_none() -> None:
    told = tuple(HistoryEntry(status, SENT_AT) for status in ("accepted", "delivered", "failed"))

    changes = changes_of(
        told[:1], MESSAGE._replace(status=MessageStatus.DELIVERED, history=told), frozenset(STATUSES)
    )

    assert changes == []
