"""How a log line is formatted: one JSON object, with only the fields listed below, and never a secret."""

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from app.log.trace import trace_of

FIELDS = (
    "alert",
    "attempt",
    "child",
    "contact",
    "delivery_id",
    "destination",
    "duration_ms",
    "erased_events",
    "error",
    "event_id",
    "events",
    "exit_code",
    "files",
    "job_id",
    "last_error",
    "media_id",
    "message_id",
    "messages",
    "method",
    "outcome",
    "queue",
    "reason",
    "receipt_id",
    "receipts",
    "repeats",
    "request_id",
    "scope",
    "seconds",
    "since",
    "span_id",
    "spans",
    "status",
    "subject",
    "trace_id",
    "until",
    "worker",
)
"""The keys that a call may give in `extra`. The line has them in camelCase; any other key is dropped."""

MIN_SECRET_LENGTH = 6

_NAMES = [(field, re.sub("_(.)", lambda match: match[1].upper(), field)) for field in FIELDS]
_QUERY = re.compile(r"\?[^\s'\"]*")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line: time, level, logger, event, the listed fields, and the trace of an exception."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._clean(record.getMessage()),
        }
        for attribute, name in _NAMES:
            if (value := getattr(record, attribute, None)) is not None:
                line[name] = self._clean(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = self._clean(trace_of(record.exc_info[1], record.exc_info[2]))
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)

    def _clean(self, text: str) -> str:
        """Remove query strings, which can hold the verify token, and every known secret."""
        text = _QUERY.sub("?…", text)
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text
