"""docs/dry-run.md tells every test number and every call of the fake Meta's control."""

import re

from app.graph.fake.behaviours import BEHAVIOURS
from app.graph.fake.control import HANDLERS
from tests.support.serving import ROOT

PAGE = (ROOT / "docs" / "dry-run.md").read_text()
CODE = re.compile(r"with (\d+)")


def rows() -> dict[str, str]:
    return dict(re.findall(r"^\| (\d{4}) \| (.+) \|$", PAGE, re.MULTILINE))


def test_every_test_number_has_a_line_in_order() -> None:
    assert list(rows()) == sorted(BEHAVIOURS)


def test_the_codes_of_the_lines_are_those_of_the_numbers() -> None:
    told = {ending: int(found[1]) for ending, text in rows().items() if (found := CODE.search(text))}
    meant = {
        ending: behaviour.refusal.code if behaviour.refusal else behaviour.fails_with
        for ending, behaviour in BEHAVIOURS.items()
        if behaviour.refusal or behaviour.fails_with
    }

    told = {ending: code for ending, code in told.items() if code not in (200, 502, 504)}
    assert told == {ending: code for ending, code in meant.items() if ending != "4009"}


def test_every_call_of_the_control_has_a_line() -> None:
    told = set(re.findall(r"^\| `(GET|POST) /_fake/(\w+)` \|", PAGE, re.MULTILINE))

    assert told == set(HANDLERS)
