"""What Meta's statuses name together is one customer from then on: window, pace, conversations, erasure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from app.domain.message import Message, contact_number
from app.domain.meta.touch import Touch
from app.domain.pacing import Pace
from app.domain.send_answer import Accepted, Ambiguous
from app.store import Conversation, Store
from app.store.tables.message_schema import contact_links
from app.store.transactions.touch_conversations import contacts_of, touch_conversations
from tests.support.messages import NUMBER, accept, new_message, status, tracker_of, webhook
from tests.support.sends import LIMITS, send, stored, waiting
from tests.support.store import NOON
from tests.support.work import Clock, add_events

PHONE, USER, OTHER_USER = "4915112345678", "DE.13491208655302741918", "DE.2"
BOTH = {"recipient_id": PHONE, "recipient_user_id": USER}
GROUP = "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"
SECOND = timedelta(seconds=1)
HEARD = NOON.replace(microsecond=0)


def tell(store: Store, *statuses: Any) -> None:
    add_events(store, *webhook(statuses=list(statuses)))


def hear(store: Store, wamid: str = "wamid.in", **names: str) -> None:
    """A customer writes."""
    text = {"timestamp": str(int(NOON.timestamp())), "type": "text", "text": {"body": "hi"}}
    add_events(store, *webhook(messages=[{"id": wamid, **text, **names}]))


def sent(store: Store, *answers: Any, to: str = f"+{PHONE}") -> Message:
    """A message that was sent; usually its answer names the number only."""
    [message] = accept(store, new_message(to=to))
    send(store, *(answers or [Accepted("wamid.A=", wa_id=PHONE)]))
    return message


def erase(store: Store, name: str) -> None:
    cursor = store.retention.erase(name, None).next
    while cursor is not None:
        cursor = store.retention.erase(name, cursor).next


def listed(store: Store) -> list[Conversation]:
    return store.conversations.page(before=None, limit=9)


def contact_of(store: Store, *names: str) -> set[int]:
    return set(store.database.read(lambda c: contacts_of(c, names)).values())


def test_a_status_makes_its_names_one_customer(timed: Store, clock: Clock) -> None:
    message = sent(timed)
    clock.advance(SECOND)

    tell(timed, status("wamid.A=", **BOTH))
    hear(timed, from_user_id=USER)

    for name in (PHONE, USER):
        assert [one.id for one in timed.messages.page(contact=name, limit=9)] == [message.id]
        assert timed.conversations.last_inbound([(NUMBER, (name,))]) == [HEARD]
    [conversation] = listed(timed)
    assert (conversation.wa_id, conversation.user_id, conversation.last_inbound_at) == (PHONE, USER, HEARD)
    assert conversation.last_outbound_at == clock.now - SECOND


def test_the_pace_of_a_customer_counts_what_was_sent_to_each_name(timed: Store) -> None:
    answer, limits = Accepted("wamid.A=", wa_id=PHONE), replace(LIMITS, pair=Pace(6 * SECOND, 3))
    for _ in range(2):
        accept(timed, new_message(to=f"+{PHONE}"))
        assert send(timed, answer, limits=limits) == 1
    tell(timed, status("wamid.A=", **BOTH))

    accept(timed, *(new_message(to=to) for to in (USER, USER, f"+{PHONE}")))
    left = [send(timed, answer, limits=limits) for _ in range(3)]

    assert left == [1, 0, 0]
    assert waiting(timed) == 2


def test_a_status_about_a_message_of_another_application_names_a_customer_too(store: Store) -> None:
    tell(store, status("wamid.B=", tracker="another's", **BOTH))

    assert contact_of(store, PHONE, USER) == {contact_number(USER)}
    assert listed(store) == []


def test_a_status_of_a_group_names_its_member_and_not_the_group(timed: Store) -> None:
    message = sent(timed, Ambiguous("reset"), to=GROUP)
    member = {"recipient_participant_id": PHONE, "recipient_participant_user_id": USER}
    tracker = tracker_of(timed, message)

    tell(
        timed,
        status("wamid.G=", "delivered", tracker=tracker, recipient_id=GROUP, recipient_type="group", **member),
    )

    assert contact_of(timed, GROUP, PHONE, USER) == {contact_number(GROUP), contact_number(USER)}
    assert [one.wa_id for one in listed(timed)] == [GROUP]


def test_the_id_of_a_group_may_be_longer_than_what_a_conversation_shows_of_it(timed: Store) -> None:
    group = "Y2Fw" * 64
    message = sent(timed, Ambiguous("reset"), to=group)

    tell(timed, status("wamid.G=", tracker=tracker_of(timed, message), recipient_id=group, recipient_type="group"))

    assert stored(timed, message).status == "sent"
    assert [one.wa_id for one in listed(timed)] == [None]


def test_a_status_whose_names_are_linked_costs_no_statement(timed: Store) -> None:
    tell_apart = sent(timed)
    first = statements(timed, status("wamid.A=", **BOTH))

    again = statements(timed, status("wamid.A=", "delivered", **BOTH))
    without_user = statements(timed, status("wamid.A=", "read"))

    assert stored(timed, tell_apart).status == "read"
    assert len(again) == len(without_user) < len(first)
    assert not any("contact_links (" in sql or "conversations" in sql for sql in again)


def statements(store: Store, *statuses: Any) -> list[str]:
    """What the split of these statuses executes."""
    executed: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        executed.append(sql)

    engine = getattr(store.database, "_writer", None) or store.database._engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", note)
    try:
        tell(store, *statuses)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return executed


def test_a_number_that_has_another_user_now_takes_nothing_of_the_first_ones(timed: Store) -> None:
    sent(timed)
    tell(timed, status("wamid.A=", **BOTH))
    hear(timed, from_user_id=USER)

    tell(timed, status("wamid.A=", "read", recipient_id=PHONE, recipient_user_id=OTHER_USER))
    erase(timed, OTHER_USER)

    assert timed.conversations.last_inbound([(NUMBER, (USER,))]) == [HEARD]
    assert [one.user_id for one in listed(timed)] == [USER]
    assert timed.events.counts().total > 0


def test_a_number_that_was_given_up_takes_nothing_to_its_next_user(timed: Store) -> None:
    changed = {"type": "user_changed_number", "wa_id": "4915199", "user_id": USER, "body": "changed"}
    hear(timed, **{"from": PHONE, "type": "system", "system": changed})
    message = sent(timed, Accepted("wamid.B=", wa_id="4915199"), to="+4915199")

    hear(timed, "wamid.new", **{"from": PHONE, "from_user_id": OTHER_USER})
    erase(timed, OTHER_USER)

    assert [one.id for one in timed.messages.page(contact=USER, limit=9)] == [message.id]
    assert [one.wa_id for one in listed(timed)] == ["4915199"]


def test_a_number_that_somebody_else_gave_up_makes_its_next_user_no_part_of_that_customer(timed: Store) -> None:
    changed = {"type": "user_changed_number", "wa_id": "4915199", "user_id": USER, "body": "changed"}
    hear(timed, **{"from": "4915199", "from_user_id": OTHER_USER})

    hear(timed, "wamid.new", **{"from": PHONE, "type": "system", "system": changed})

    assert contact_of(timed, PHONE, "4915199", USER) == {contact_number(USER)}
    assert contact_of(timed, OTHER_USER) == {contact_number(OTHER_USER)}


@pytest.mark.parametrize("wa_id", ["\ud800", "4915\0", "1" * 400, ["4915199"]])
def test_a_new_number_that_is_none_costs_no_event(timed: Store, wa_id: Any) -> None:
    changed = {"type": "user_changed_number", "wa_id": wa_id, "user_id": USER, "body": "changed"}

    hear(timed, **{"from": PHONE, "type": "system", "system": changed})

    assert timed.events.counts().total == 1
    assert [row.name for row in rows(timed, contact_links)] == [PHONE]


def test_a_conversation_that_has_a_user_id_stays_when_its_number_gets_another_user(timed: Store) -> None:
    links = [Touch(None, (PHONE, "4915199")), Touch(None, (USER, "4915199"))]
    answered = Touch(NUMBER, (USER,), user_id=USER, outbound_at=HEARD)
    heard = Touch(NUMBER, (OTHER_USER, PHONE), user_id=OTHER_USER, inbound_at=HEARD)
    for touch in (*links, answered, heard):
        timed.write(lambda c, touch=touch: touch_conversations(c, NOON, [touch]))  # type: ignore[misc]

    assert {(one.user_id, one.last_inbound_at, one.last_outbound_at) for one in listed(timed)} == {
        (USER, None, HEARD),
        (OTHER_USER, HEARD, None),
    }


def test_two_conversations_of_a_customer_become_one(timed: Store, clock: Clock) -> None:
    sent(timed)
    hear(timed, from_user_id=USER)
    assert len(listed(timed)) == 2

    tell(timed, status("wamid.A=", **BOTH))

    [conversation] = listed(timed)
    assert (conversation.wa_id, conversation.user_id, conversation.last_inbound_at) == (PHONE, USER, HEARD)
    assert conversation.last_outbound_at == clock.now


@pytest.mark.parametrize("word", ["sent", "failed", "read"])
def test_a_status_in_the_place_of_a_lost_answer_touches_the_conversation(
    timed: Store, clock: Clock, word: str
) -> None:
    begun = clock.now
    message = sent(timed, Ambiguous("reset"))
    clock.advance(60 * SECOND)

    tell(timed, status("wamid.A=", word, tracker=tracker_of(timed, message), **BOTH))

    [conversation] = listed(timed)
    assert (conversation.wa_id, conversation.user_id, conversation.last_outbound_at) == (PHONE, USER, begun)
    assert stored(timed, message).status == word


def test_a_number_that_meta_has_rewritten_in_a_status_is_the_same_customer(timed: Store) -> None:
    message = sent(timed, Ambiguous("reset"), to="+5531988880001")

    tell(timed, status("wamid.A=", tracker=tracker_of(timed, message), recipient_id="553188880001"))
    hear(timed, **{"from": "553188880001"})

    assert timed.conversations.last_inbound([(NUMBER, ("5531988880001",))]) == [HEARD]
    assert [one.wa_id for one in listed(timed)] == ["553188880001"]


def test_what_a_client_says_of_names_links_nothing(timed: Store) -> None:
    message = new_message(to=f"+{PHONE}")
    accept(timed, message._replace(recipient=USER))
    send(timed, Accepted("wamid.A=", wa_id=PHONE))

    tell(timed, status("wamid.A=", recipient_id=PHONE))

    assert contact_of(timed, PHONE, USER) == {contact_number(PHONE), contact_number(USER)}
    assert rows(timed, contact_links) == []


def rows(store: Store, table: Any) -> list[Any]:
    def read(connection: Connection) -> list[Any]:
        return list(connection.execute(select(table)))

    return store.database.read(read)
