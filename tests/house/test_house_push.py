"""docs/push.md and the code agree."""

import re

from app.destinations.failures import NOT_HTTP, REASONS, TIMED_OUT
from app.domain.retry import PAUSES
from tests.support.serving import ROOT

PAGE = (ROOT / "docs" / "push.md").read_text()
UNITS = {"second": 1, "minute": 60, "hour": 3600}


def test_every_error_is_on_the_page() -> None:
    listed = re.search(r"An error is one of: (.*?)\.\n\n", PAGE, re.DOTALL)
    assert listed is not None

    assert set(re.findall(r"`([^`]+)`", listed[1])) == {reason for _, reason in REASONS} | {NOT_HTTP, TIMED_OUT}


def test_the_schedule_is_on_the_page() -> None:
    told = re.search(r"tried again after (.*?),\nthen (\d+) times after (\d+) hours", PAGE)
    assert told is not None
    pauses = [int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (second|minute|hour)", told[1])]

    assert [*pauses, *[int(told[3]) * 3600] * int(told[2])] == [pause.total_seconds() for pause in PAUSES]
    assert f"After {len(PAUSES) + 1} attempts" in PAGE
