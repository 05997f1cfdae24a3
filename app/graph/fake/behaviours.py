"""The test numbers, like test cards: `+999 000` and four digits, each of which behaves in its own way.

Country code 999 is not assigned, so that a test number typed into a live system reaches (and bills) no one. Each has
a twin known by its user id only: `XX.FAKE` and the same four digits. Any other number behaves as 0000.
"""

import re
from dataclasses import dataclass, replace

from app.graph.fake.refusals import REFUSALS, Refusal
from app.graph.fake.wire import Line

TEST_NUMBER = re.compile(r"999000(\d{4})")
TEST_USER_ID = re.compile(r"XX\.FAKE(\d{4})")

EARLY = -1.0
Step = tuple[str, float]
"""A status, and the seconds after the answer at which it comes; less than 0: before the answer."""


@dataclass(frozen=True)
class Behaviour:
    """How a send to one recipient ends.

    `refusal`: given `times` times, or for `seconds` after the first, or always if both are None.
    `is_accepted`: whether the message counts as sent although the answer may be spoilt: by `line`, or by a page of
    HTML with the status `html`. `steps` None: those of the kind of message. `fails_with`: the code of a `failed`
    status that follows after the steps. `statuses_after`: seconds by which all statuses are later.
    """

    refusal: Refusal | None = None
    times: int | None = None
    seconds: float | None = None
    is_accepted: bool = True
    html: int | None = None
    line: Line = "whole"
    delay_seconds: float = 0.0
    steps: tuple[Step, ...] | None = None
    fails_with: int | None = None
    statuses_after: float = 0.0
    message_status: str | None = None
    has_tracker: bool = True
    failure_has_tracker: bool = True
    loses_a_digit: bool = False
    is_known_by_user_id_only: bool = False
    batch: int = 1


def _failing(code: int) -> Behaviour:
    return Behaviour(steps=(), fails_with=code)


_USUAL = (("sent", 0.2), ("delivered", 0.7), ("read", 1.7))
_CUT = Behaviour(line="cut")

BEHAVIOURS = {
    "0000": Behaviour(),
    "0001": Behaviour(steps=_USUAL[:2]),
    "0002": Behaviour(steps=_USUAL[:1]),
    "0003": Behaviour(steps=(_USUAL[0], _USUAL[2])),
    "0004": Behaviour(steps=(("sent", 0.2), ("read", 0.7), ("read", 0.7), ("delivered", 1.7), ("delivered", 1.7))),
    "0005": Behaviour(steps=(("sent", EARLY), *_USUAL[1:])),
    "0006": Behaviour(message_status="held_for_quality_assessment", statuses_after=60),
    "0007": Behaviour(message_status="held_for_quality_assessment", steps=(), fails_with=132015, statuses_after=5),
    "0008": Behaviour(loses_a_digit=True),
    "0009": Behaviour(is_known_by_user_id_only=True),
    "0010": Behaviour(steps=_USUAL[:2], fails_with=131026),
    "0011": Behaviour(batch=100),
    "1026": _failing(131026),
    "1047": _failing(131047),
    "1049": _failing(131049),
    "1050": _failing(131050),
    "1053": _failing(131053),
    "1042": _failing(131042),
    "1000": _failing(131000),
    "1497": Behaviour(refusal=REFUSALS["country"]),
    "2008": Behaviour(refusal=REFUSALS["missing"]),
    "2030": Behaviour(refusal=REFUSALS["not_allowed"]),
    "2100": Behaviour(refusal=REFUSALS["invalid_parameter"]),
    "2133": Behaviour(refusal=REFUSALS["unknown_object"]),
    "2190": Behaviour(refusal=REFUSALS["expired_token"]),
    "2131": Behaviour(refusal=REFUSALS["locked"]),
    "2001": Behaviour(refusal=REFUSALS["template"]),
    "2062": Behaviour(refusal=REFUSALS["user_id_recipient"]),
    "3029": Behaviour(refusal=REFUSALS["throughput"], seconds=5),
    "3056": Behaviour(refusal=REFUSALS["pair"], times=3),
    "3048": Behaviour(refusal=REFUSALS["spam"]),
    "3807": Behaviour(refusal=replace(REFUSALS["account_calls"], regain_minutes=1)),
    "3002": Behaviour(refusal=REFUSALS["unavailable"], times=2),
    "3000": Behaviour(refusal=REFUSALS["unknown"]),
    "4001": replace(_CUT, statuses_after=3),
    "4002": replace(_CUT, steps=()),
    "4003": replace(_CUT, is_accepted=False),
    "4004": Behaviour(delay_seconds=45),
    "4005": Behaviour(line="half"),
    "4006": Behaviour(html=200),
    "4007": Behaviour(html=502, is_accepted=False),
    "4008": Behaviour(html=504),
    "4009": replace(_CUT, steps=(), fails_with=131026, has_tracker=False, statuses_after=3),
    "4010": Behaviour(line="drip"),
    "5010": Behaviour(delay_seconds=10),
}


def test_number(recipient: str) -> str | None:
    """Return the four digits of a test number, given as digits or as a user id; None for any other recipient."""
    found = TEST_NUMBER.fullmatch(recipient) or TEST_USER_ID.fullmatch(recipient)
    return found[1] if found else None


def behaviour_of(recipient: str) -> Behaviour:
    """Return how a send to a recipient (digits, user id or group) ends when no script says otherwise."""
    return BEHAVIOURS.get(test_number(recipient) or "0000", BEHAVIOURS["0000"])
