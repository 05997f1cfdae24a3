"""The event of a changed phone number is erased with the customer whose number has changed, and with no other."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from app.store import Store
from app.store.tables.number_changes import own_changes
from tests.support.messages import webhook
from tests.support.postgres import PostgresServer
from tests.support.store import NOON, StoreMaker
from tests.support.work import add_events

OLD, NEW, USER, OTHER_USER = "4915112345678", "4915199", "DE.13491208655302741918", "DE.2"
CHANGE = "contact.number_changed"
OTHERS = text("""
    INSERT INTO events (event_id, type, occurred_at, received_at, receipt, wa_id, user_id, is_foreign, document)
    SELECT int8send(number) || int8send(number), 'message.text', now(), now(), 1, '49' || number, 'DE.9', false, '{}'
    FROM generate_series(1, 2000) AS number
""")


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


def test_whose_a_change_is_is_found_without_reading_the_events_of_others(
    postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    store = make_store(postgres_server.migrated_database())
    store.write(lambda c: c.execute(OTHERS))
    change(store)

    plans = store.database.read(lambda c: plans_of(c, lambda: own_changes(c, [OLD], [USER])))

    assert len(plans) > 4
    assert [plan for plan in plans if re.search(r"Removed by Filter: \d{3}", plan)] == []


def plans_of(connection: Connection, work: Callable[[], object]) -> list[str]:
    """Run the statements of this work, and return how PostgreSQL runs each where it avoids a sort if it can."""
    connection.exec_driver_sql("SET enable_sort = off")
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, sql: str, values: object, _context: object, _many: bool) -> None:
        statements.append((sql, values))

    event.listen(connection, "before_cursor_execute", note)
    work()
    event.remove(connection, "before_cursor_execute", note)
    return [
        "\n".join(connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {sql}", values).scalars())
        for sql, values in statements
    ]
