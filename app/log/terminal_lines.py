"""A log line for a person at a terminal: the local time, the level if it matters, the event and its fields."""

import json
import logging
from datetime import datetime
from typing import Any

from app.log.json_lines import JsonFormatter

HEAD = ("time", "level", "logger", "event", "trace")


class TerminalFormatter(logging.Formatter):
    """Formats a record as the JSON formatter does, and shows that line to a person."""

    def __init__(self, lines: JsonFormatter) -> None:
        super().__init__()
        self._lines = lines

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(self._lines.format(record))


def for_terminal(json_line: str) -> str:
    """Return a JSON line as text, such as `17:04:08 WARNING store.unavailable reason="the database is locked"`."""
    line: dict[str, Any] = json.loads(json_line)
    at = datetime.fromisoformat(line["time"]).astimezone().strftime("%H:%M:%S")
    level = "" if line["level"] == "info" else line["level"].upper()
    fields = [f"{name}={_shown(value)}" for name, value in line.items() if name not in HEAD]
    head = " ".join(part for part in (at, level, _shown_event(line["event"]), *fields) if part)
    return f"{head}\n{line['trace'].rstrip()}" if "trace" in line else head


def _shown_event(event: str) -> str:
    """Return the event; a library's may be a text with characters that steer a terminal."""
    return event if event.isprintable() else json.dumps(event)


def _shown(value: Any) -> str:
    """Return a value, in quotes where it would not read as one word."""
    is_word = isinstance(value, str) and value.isprintable() and value and not set(value) & set(' "=')
    return value if is_word else json.dumps(value, ensure_ascii=not str(value).isprintable())
