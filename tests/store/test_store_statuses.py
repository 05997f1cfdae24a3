"""What Meta says of messages is recorded, in whatever order it comes, and only of messages that are ours."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import Connection, select, update

from app.domain.message import Message, MessageStatus
from app.store import Store
from app.store.tables.message_schema import contact_links, conversations, early_statuses, messages
from app.store.transactions.apply_statuses import hold_status_lock, take_early_reports
from tests.support.messages import NUMBER, accept, mark_sending, new_message, status, tracker_of, webhook
from tests.support.store import NOON
from tests.support.work import add_events

ERROR = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "no WhatsApp"}}
TOLD = {
    **ERROR,
    "class": "recipient",
    "hint": "the customer has no WhatsApp, an old version, or has not accepted its terms",
}
"""The error as the API shows it, as that of a POST is shown."""
PRICING = {"billable": True, "pricing_model": "PMP", "category": "service", "type": "regular"}
MINUTE = timedelta(minutes=1)
TEXT = {"timestamp": "1764000000", "type": "text", "text": {"body": "hi"}}


@pytest.fixture
def sent(store: Store) -> Message:
    """A message that a worker is sending."""
    [message] = accept(store, new_message("hi", tracker="order 7"))
    mark_sending(store, message)
    return message


def reloaded(store: Store, message: Message) -> Message:
    found = store.messages.get(message.id)
    assert found is not None
    return found


def tell(store: Store, *statuses: object) -> None:
    add_events(store, *webhook(statuses=list(statuses)))


def early(store: Store) -> list[str]:
    return store.database.read(lambda c: list(c.execute(select(early_statuses.c.wamid)).scalars()))


def test_a_status_with_our_tracker_finds_its_message_before_the_answer_does(store: Store, sent: Message) -> None:
    tell(store, status("wamid.A", "sent", tracker=tracker_of(store, sent), pricing=PRICING))

    message = reloaded(store, sent)
    assert (message.status, message.wamid, message.tracker, message.pricing) == (
        "sent",
        "wamid.A",
        "order 7",
        PRICING,
    )
    assert [(entry.status, entry.at) for entry in message.history][1:] == [("sent", NOON.replace(microsecond=0))]
    assert store.messages.get("wamid.A") == message


def test_statuses_come_to_the_same_end_in_every_order(store: Store) -> None:
    for told in permutations(("sent", "delivered", "read")):
        [message] = accept(store, new_message())
        mark_sending(store, message)
        for word in told:
            tell(store, status(f"wamid.{message.row_id}", word, tracker=tracker_of(store, message)))

        found = reloaded(store, message)
        assert found.status == "read"
        assert [entry.status for entry in found.history][1:] == list(told)


def test_a_failure_after_a_delivery_is_recorded_beside_it(store: Store, sent: Message) -> None:
    tracker = tracker_of(store, sent)

    tell(store, status("wamid.A", "delivered", tracker=tracker))
    tell(store, status("wamid.A", "failed", tracker=tracker, errors=[ERROR]))
    tell(store, status("wamid.A", "failed", at=NOON + MINUTE))

    message = reloaded(store, sent)
    assert (message.status, message.error) == ("delivered", TOLD)


def test_an_unknown_message_is_resolved_by_its_tracker(store: Store, sent: Message) -> None:
    store.write(lambda c: c.execute(update(messages).values(status=MessageStatus.UNKNOWN.value)))

    tell(store, status("wamid.A", "delivered", tracker=tracker_of(store, sent)))

    assert reloaded(store, sent).status == "delivered"


@pytest.mark.parametrize("tracker", ["order 7", "wats1.0123456789abcdef.{id}", "wats1.{id}", 7])
def test_the_tracker_of_another_application_resolves_nothing(store: Store, sent: Message, tracker: object) -> None:
    named = tracker.format(id=sent.id.removeprefix("msg_")) if isinstance(tracker, str) else tracker

    add_events(store, *webhook(statuses=[{**status("wamid.A"), "biz_opaque_callback_data": named}]))

    assert reloaded(store, sent).status == "sending"
    assert early(store) == []


@pytest.mark.parametrize("tracker", ["biz-ai-123", "", "wats1.0123456789abcdef.{id}.3"])
def test_a_wamid_of_ours_counts_whatever_tracker_the_status_carries(
    store: Store, sent: Message, tracker: str
) -> None:
    tell(store, status("wamid.A", tracker=tracker_of(store, sent)))
    named = tracker.format(id=sent.id.removeprefix("msg_"))

    tell(store, status("wamid.A", "delivered", tracker=named))
    tell(store, status("wamid.A", "failed", tracker=named, errors=[ERROR]))

    message = reloaded(store, sent)
    assert (message.status, message.error) == ("delivered", TOLD)


def test_an_empty_tracker_is_that_of_no_application(store: Store, sent: Message) -> None:
    tell(store, status("wamid.A", "failed", tracker="", errors=[ERROR]))

    assert early(store) == ["wamid.A"]


def test_a_status_of_a_foreign_number_resolves_nothing(store: Store, sent: Message) -> None:
    add_events(store, *webhook(foreign=True, statuses=[status("wamid.A", tracker=tracker_of(store, sent))]))

    assert reloaded(store, sent).status == "sending"


def test_a_second_wamid_under_one_tracker_is_a_message_that_was_sent_twice(store: Store, sent: Message) -> None:
    for wamid in ("wamid.A", "wamid.B"):
        tell(store, status(wamid, tracker=tracker_of(store, sent)))

    message = reloaded(store, sent)
    assert (message.wamid, message.second_wamid) == ("wamid.A", "wamid.B")


def test_the_status_of_an_attempt_before_a_resend_is_no_second_wamid(store: Store, sent: Message) -> None:
    store.write(lambda c: c.execute(update(messages).values(resends=1)))

    tell(store, status("wamid.B", tracker=tracker_of(store, sent, resends=1)))
    tell(store, status("wamid.A", "delivered", tracker=tracker_of(store, sent)))

    message = reloaded(store, sent)
    assert (message.status, message.wamid, message.second_wamid) == ("delivered", "wamid.B", None)


def test_the_failure_of_an_attempt_before_a_resend_changes_nothing(store: Store, sent: Message) -> None:
    store.write(lambda c: c.execute(update(messages).values(resends=1, status="queued")))

    tell(store, status("wamid.A", "failed", tracker=tracker_of(store, sent), errors=[ERROR]))

    assert (reloaded(store, sent).status, reloaded(store, sent).error) == ("queued", None)


def test_a_status_without_a_tracker_waits_for_the_answer_that_tells_its_wamid(store: Store, sent: Message) -> None:
    tell(store, status("wamid.A", "failed", errors=[ERROR]))

    def answer(connection: Connection) -> object:
        hold_status_lock(connection, shared=True)
        return take_early_reports(connection, ["wamid.A", "wamid.B"])

    assert early(store) == ["wamid.A"]
    [report] = store.write(answer)["wamid.A"]
    assert (report.status, report.error, report.wamid) == ("failed", TOLD, "wamid.A")
    assert early(store) == []


@pytest.mark.parametrize("is_one_webhook", [True, False])
def test_a_status_without_a_tracker_joins_the_one_that_tells_its_wamid_in_every_order(
    store: Store, is_one_webhook: bool
) -> None:
    for number, failed_first in enumerate((True, False)):
        [message] = accept(store, new_message())
        store.write(lambda c: c.execute(update(messages).values(status=MessageStatus.UNKNOWN.value)))
        wamid, tracker = f"wamid.{number}", tracker_of(store, message)
        told = [status(wamid, "sent", tracker=tracker), status(wamid, "failed", errors=[ERROR])]
        told = told[::-1] if failed_first else told

        for part in [told] if is_one_webhook else [[one] for one in told]:
            tell(store, *part)

        found = reloaded(store, message)
        assert (found.status, found.wamid, found.error) == ("failed", wamid, TOLD)
        assert {entry.status for entry in found.history} == {"queued", "sent", "failed"}
        assert early(store) == []


def test_a_failure_without_a_tracker_of_an_attempt_before_a_resend_changes_nothing(
    store: Store, sent: Message
) -> None:
    store.write(lambda c: c.execute(update(messages).values(resends=1, status="unknown")))
    failed, delivered = status("wamid.A", "failed", errors=[ERROR]), status("wamid.A", "delivered")

    tell(store, failed)
    tell(store, failed, {**delivered, "id": "wamid.B"}, status("wamid.A", tracker=tracker_of(store, sent)))

    message = reloaded(store, sent)
    assert (message.status, message.error, message.wamid) == ("sent", None, None)
    assert early(store) == ["wamid.B"]


def test_a_status_without_a_tracker_is_not_kept_while_nothing_is_being_sent(store: Store) -> None:
    accept(store, new_message())

    tell(store, status("wamid.A"))

    assert early(store) == []


def test_a_status_without_a_tracker_is_found_by_its_wamid(store: Store, sent: Message) -> None:
    tell(store, status("wamid.A", tracker=tracker_of(store, sent)))

    tell(store, status("wamid.A", "failed", errors=[ERROR]))

    assert (reloaded(store, sent).status, reloaded(store, sent).error) == ("failed", TOLD)


def rows(store: Store, table: object) -> list[dict[str, object]]:
    return store.database.read(lambda c: [dict(row._mapping) for row in c.execute(select(table))])  # type: ignore[call-overload]


def test_a_customers_message_opens_a_window(store: Store) -> None:
    add_events(store, *webhook(messages=[{"id": "wamid.1", "from": "491511", "from_user_id": "DE.1", **TEXT}]))
    later = {**TEXT, "timestamp": "1764000060"}
    add_events(store, *webhook(messages=[{"id": "wamid.2", "from": "491511", **later}]))
    add_events(store, *webhook(messages=[{"id": "wamid.3", "from_user_id": "DE.1", **TEXT}]))

    [conversation] = rows(store, conversations)
    assert (conversation["wa_id"], conversation["user_id"]) == ("491511", "DE.1")
    assert conversation["last_inbound_at"].timestamp() == 1764000060  # type: ignore[attr-defined]


def test_phone_and_user_id_are_one_contact(store: Store) -> None:
    add_events(store, *webhook(messages=[{"id": "wamid.1", "from": "491511", "from_user_id": "DE.1", **TEXT}]))

    accept(store, new_message(to="+491511"), new_message(to="+491512"))

    assert [message.to for message in store.messages.page(contact="DE.1", limit=9)] == ["+491511"]
    assert [link["name"] for link in rows(store, contact_links)] == ["491511"]


def test_the_names_that_a_status_tells_are_one_contact(store: Store, sent: Message) -> None:
    tell(store, {**status("wamid.A", tracker=tracker_of(store, sent)), "recipient_user_id": "DE.1"})
    tell(store, {**status("wamid.A", "read"), "recipient_user_id": "DE.1"})
    add_events(store, *webhook(messages=[{"id": "wamid.1", "from_user_id": "DE.1", **TEXT}]))

    [window] = store.conversations.last_inbound([(NUMBER, ("4915112345678",))])

    assert window is not None
    assert store.messages.page(contact="DE.1", limit=9)[0].id == sent.id
    [conversation] = rows(store, conversations)
    assert (conversation["wa_id"], conversation["user_id"]) == ("4915112345678", "DE.1")


def test_a_member_of_a_group_is_in_no_conversation_of_its_own(store: Store) -> None:
    member = {"recipient_participant_id": "491511", "recipient_participant_user_id": "DE.1"}

    tell(store, {**status("wamid.A", "read"), "recipient_id": "group1", "recipient_type": "group", **member})

    assert [link["name"] for link in rows(store, contact_links)] == ["491511"]
    assert rows(store, conversations) == []


def test_a_message_whose_answer_was_lost_is_in_its_conversation(store: Store, sent: Message) -> None:
    store.write(lambda c: c.execute(update(messages).values(status=MessageStatus.UNKNOWN.value)))

    tell(store, {**status("wamid.A", tracker=tracker_of(store, sent)), "recipient_id": "491511234567"})
    tell(store, {**status("wamid.A", "read", at=NOON + MINUTE), "recipient_id": "491511234567"})

    [conversation] = rows(store, conversations)
    assert conversation["last_outbound_at"] == NOON.replace(microsecond=0)
    assert [message.id for message in store.messages.page(contact="491511234567", limit=9)] == [sent.id]


def test_a_changed_number_stays_one_contact(store: Store) -> None:
    system = {"type": "user_changed_number", "wa_id": "491512", "body": "changed"}
    changed = {"id": "wamid.1", "from": "491511", "timestamp": "1764000000", "type": "system", "system": system}

    add_events(store, *webhook(messages=[changed]))
    accept(store, new_message(to="+491511"), new_message(to="+491512"))

    assert [message.to for message in store.messages.page(contact="491511", limit=9)] == ["+491512", "+491511"]
    assert rows(store, conversations) == []


@pytest.mark.parametrize("direction", ["USER_INITIATED", "BUSINESS_INITIATED"])
def test_a_call_from_the_customer_opens_a_window(store: Store, direction: str) -> None:
    call = {"id": "wacid.1", "from": "491511", "to": "15550001111", "event": "connect", "timestamp": "1764000000"}

    add_events(store, *webhook(calls=[{**call, "direction": direction}]))

    assert len(rows(store, conversations)) == (direction == "USER_INITIATED")


def test_a_group_is_a_contact(store: Store) -> None:
    add_events(store, *webhook(messages=[{"id": "wamid.1", "from": "491511", "group_id": "Y2FwaV9ncm91cDo", **TEXT}]))

    accept(store, new_message(to="Y2FwaV9ncm91cDo"))

    assert len(store.messages.page(contact="Y2FwaV9ncm91cDo", limit=9)) == 1
    assert [row["phone_number_id"] for row in rows(store, conversations)] == [NUMBER]
