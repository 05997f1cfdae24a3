"""The event of a changed phone number is erased with the customer whose number has changed, and with no other."""

import pytest

from app.store import Store
from tests.support.messages import webhook
from tests.support.store import NOON
from tests.support.work import add_events

OLD, NEW, USER, OTHER_USER = "4915112345678", "4915199", "DE.13491208655302741918", "DE.2"
CHANGE = "contact.number_changed"


def hear(store: Store, text: str, **names: str) -> None:
    """A customer writes this text."""
    item = {"timestamp": str(int(NOON.timestamp())), "type": "text", "text": {"body": text}}
    add_events(store, *webhook(messages=[{"id": f"wamid.{text}", **item, **names}]))


def change(store: Store) -> None:
    """Meta reports that the customer of the old number has the new one, and names no user id."""
    item = {"id": "wamid.changed", "timestamp": str(int(NOON.timestamp())), "from": OLD, "type": "system"}
    system = {"type": "user_changed_number", "wa_id": NEW, "body": "changed"}
    add_events(store, *webhook(messages=[{**item, "system": system}]))


def erase(store: Store, name: str) -> list[str]:
    """Erase a customer, and return the events that are left: their texts, and the type of those without one."""
    cursor = store.retention.erase(name, None).next
    while cursor is not None:
        cursor = store.retention.erase(name, cursor).next
    events = store.events.after(0, limit=99)
    return [event.raw["text"]["body"] if "text" in event.raw else event.type for event in events]


def test_a_change_goes_with_the_user_who_had_the_old_number(timed: Store) -> None:
    hear(timed, "ours", **{"from": OLD, "from_user_id": USER})
    change(timed)
    hear(timed, "ours under the new number", **{"from": NEW})
    hear(timed, "of the next user", **{"from": OLD, "from_user_id": OTHER_USER})

    assert erase(timed, USER) == ["of the next user"]


def test_a_change_goes_with_the_user_who_appears_under_the_new_number(timed: Store) -> None:
    hear(timed, "ours", **{"from": OLD})
    change(timed)
    hear(timed, "ours under the new number", **{"from": NEW, "from_user_id": USER})
    hear(timed, "of the next user", **{"from": OLD, "from_user_id": OTHER_USER})

    assert erase(timed, USER) == ["of the next user"]


@pytest.mark.parametrize("number", [OLD, NEW])
def test_a_change_stays_when_a_later_user_of_either_number_is_erased(timed: Store, number: str) -> None:
    hear(timed, "before the change", **{"from": OLD, "from_user_id": USER})
    change(timed)
    hear(timed, "later", **{"from": number, "from_user_id": OTHER_USER})

    assert erase(timed, OTHER_USER) == ["before the change", CHANGE]


def test_an_erasure_that_was_interrupted_finds_the_change_again(timed: Store) -> None:
    hear(timed, "ours", **{"from": OLD, "from_user_id": USER})
    change(timed)
    cursor = None
    for _ in range(6):
        cursor = timed.retention.erase(USER, cursor).next

    assert 0 < len(timed.events.after(0, limit=99)) < 2
    assert erase(timed, USER) == []


def test_an_erasure_by_number_takes_every_user_of_it_and_one_by_user_id_takes_only_that_user(timed: Store) -> None:
    hear(timed, "of the first user", **{"from": OLD, "from_user_id": USER})
    hear(timed, "of the next user", **{"from": OLD, "from_user_id": OTHER_USER})
    hear(timed, "of the next user elsewhere", **{"from": "4930123456", "from_user_id": OTHER_USER})
    hear(timed, "of nobody else", **{"from": "4930999999", "from_user_id": "DE.3"})

    by_user_id = erase(timed, USER)
    by_number = erase(timed, OLD)

    assert by_user_id == ["of the next user", "of the next user elsewhere", "of nobody else"]
    assert by_number == ["of nobody else"]
