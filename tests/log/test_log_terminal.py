"""On a terminal the log is for a person to read."""

import io
import json
import logging
from datetime import datetime

import pytest

from app.log import configure_logging, for_terminal

AT = datetime(2026, 11, 27, 17, 4, 8).astimezone()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line(**fields: object) -> str:
    return json.dumps({"time": AT.isoformat(), "level": "info", "logger": "app", "event": "queue.checked", **fields})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "17:04:08 queue.checked"),
        ({"level": "warning"}, "17:04:08 WARNING queue.checked"),
        ({"queue": "split", "seconds": 1.5}, "17:04:08 queue.checked queue=split seconds=1.5"),
        ({"reason": "disk full, é"}, '17:04:08 queue.checked reason="disk full, é"'),
        ({"reason": ""}, '17:04:08 queue.checked reason=""'),
        ({"reason": "a\x1b[31m"}, '17:04:08 queue.checked reason="a\\u001b[31m"'),
        ({"event": "a\x1b[31mb\n"}, '17:04:08 "a\\u001b[31mb\\n"'),
        ({"trace": "Traceback:\n  line\nError\n"}, "17:04:08 queue.checked\nTraceback:\n  line\nError"),
    ],
)
def test_a_line_shows_time_level_event_and_fields(fields: dict[str, object], text: str) -> None:
    assert for_terminal(line(**fields)) == text


@pytest.fixture
def root() -> object:
    """Give the root logger its handlers back."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


@pytest.mark.parametrize(("stream", "is_json"), [(Terminal(), False), (io.StringIO(), True)])
def test_only_a_terminal_gets_text(root: object, stream: io.StringIO, is_json: bool) -> None:
    configure_logging(stream)

    logging.getLogger("app.test").warning("store.unavailable", extra={"reason": "locked"})

    written = stream.getvalue()
    assert written.startswith("{") is is_json
    assert is_json or written.endswith(" WARNING store.unavailable reason=locked\n")
