"""What no code catches is logged in our form and without data, and a flood of it once."""

import json
import logging
import subprocess
import sys
from collections import Counter

import pytest

from app.log import Throttle
from app.store.engine.pool_log import LostConnections
from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

PHONE = "4915112345678"


def test_an_uncaught_error_is_one_line_wherever_it_occurs() -> None:
    failing = [sys.executable, "-m", "tests.log.failing"]

    ended = subprocess.run(failing, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    uncaught = [line for line in lines if line["event"] == "error.uncaught"]
    places = ["greenlet", "greenlet", "thread", "destructor", "process"]
    assert [line["reason"] for line in uncaught] == [f"ValueError in a {place}" for place in places]
    assert all(line["trace"].endswith("\nValueError\n") for line in uncaught)
    assert PHONE not in ended.stderr
    others = Counter(line["logger"] for line in lines if line not in uncaught)
    assert others == {"py.warnings": 1, "library": 1}
    assert ended.returncode == 1


def test_a_flood_is_logged_once_a_minute_with_its_size() -> None:
    throttle = Throttle()

    repeats = [throttle.repeats("lost", now) for now in (0.0, 1.0, 2.0, 60.0, 61.0, 125.0)]

    assert repeats == [0, None, None, 2, None, 1]
    assert throttle.repeats("refused", 1.0) == 0


def test_a_pool_that_loses_its_connections_writes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    handler = LostConnections()
    try:
        raise ConnectionResetError("server closed the connection, host=db password=hunter2")
    except ConnectionResetError:
        record = logging.LogRecord("sqlalchemy.pool", logging.ERROR, "", 0, "reset", (), sys.exc_info())

    for _ in range(21):
        handler.handle(record)

    [line] = caplog.records
    assert (line.getMessage(), vars(line)["reason"], line.exc_info) == (
        "store.connection_lost",
        "ConnectionResetError",
        None,
    )
