"""What an error of Meta's stops: the app, the account, the number, or nothing but its message; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.message import queue_of_number
from app.store import Store
from tests.support.messages import NUMBER
from tests.support.sends import LIMITS, WABA, queued, refused, reserve, send

SAME_ACCOUNT, OTHER_ACCOUNT = "106540352242999", "206540352242922"
NUMBERS = {NUMBER: WABA, SAME_ACCOUNT: WABA, OTHER_ACCOUNT: "202290129340398"}

NONE: set[str] = set()
NUMBER_IS_STOPPED = {SAME_ACCOUNT, OTHER_ACCOUNT}
ACCOUNT_IS_STOPPED = {OTHER_ACCOUNT}
ALL = set(NUMBERS)

AFTER: list[tuple[str, int, int | None, set[str]]] = [
    ("an expired token", 190, 463, NONE),
    ("a locked account", 131031, None, ACCOUNT_IS_STOPPED),
    ("a wrong phone number id", 100, 33, NUMBER_IS_STOPPED),
    ("the calls of the app", 4, None, NONE),
    ("the calls of the account", 80007, None, ACCOUNT_IS_STOPPED),
    ("the rate of the number", 130429, None, NUMBER_IS_STOPPED),
    ("complaints about the number", 131048, None, NUMBER_IS_STOPPED),
    ("templates in a wrong category", 131064, None, ACCOUNT_IS_STOPPED),
    ("the pace of one customer", 131056, None, ALL),
    ("an outage", 2, None, ALL),
    ("a number that is being deleted", 133015, None, ALL),
    ("a wrong content", 131047, None, ALL),
    ("direct send that is blocked", 139200, None, ALL),
    ("one recipient", 130497, None, ALL),
    ("a wrong request", 131008, None, ALL),
    ("payments that are not accepted", 134011, None, ALL),
    ("what is not about messages", 131044, None, ALL),
    ("a code that is not listed", 199999, None, ALL),
]


def may_send(store: Store, number: str, waba: str) -> bool:
    """Return whether a new message of a number leaves at once."""
    queued(store, number=number)
    return bool(reserve(store, replace(LIMITS, waba_id=waba), queue=queue_of_number(number)).reserved)


@pytest.mark.parametrize(("code", "subcode", "going_on"), [row[1:] for row in AFTER], ids=[row[0] for row in AFTER])
def test_an_error_stops_its_scope_and_nothing_else(
    timed: Store, code: int, subcode: int | None, going_on: set[str]
) -> None:
    queued(timed)
    send(timed, refused(code, subcode=subcode, delay=timedelta(seconds=30)))

    sending = {number for number, waba in NUMBERS.items() if may_send(timed, number, waba)}

    assert sending == going_on
