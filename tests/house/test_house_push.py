"""docs/push.md and the code agree."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app.config.secrets.dry_run import placeholder_of_destination
from app.destinations.failures import NOT_HTTP, REASONS, TIMED_OUT
from app.domain.retry import PAUSES
from app.domain.standard_webhooks import signing_headers
from tests.support.serving import ROOT

PAGE = (ROOT / "docs" / "push.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNITS = {"second": 1, "minute": 60, "hour": 3600}


def test_the_receiver_of_the_page_accepts_only_signed_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATS_CRM_SECRET", SECRET)
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    page: dict[str, Any] = {"__name__": "receiver"}
    exec(code, page)
    client, body = page["app"].test_client(), b'{"id":"evt_1","type":"message.text"}'
    headers = signing_headers("evt_1", datetime.now(UTC), body, ["another secret", SECRET])

    assert client.post("/hooks", data=body, headers=headers).status_code == 204
    assert client.post("/hooks", data=body + b" ", headers=headers).status_code == 401


def test_the_secret_of_the_page_is_that_of_a_dry_run() -> None:
    assert f"export WATS_CRM_SECRET={placeholder_of_destination('crm')}\n" in PAGE


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
