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

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_NAMES = [(field, re.sub("_(.)", lambda match: match[1].upper(), field)) for field in FIELDS]
_QUERY = re.compile(r"\?[^\s'\"]*")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line: time, level, logger, event, the listed fields, and the trace of an exception."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
        self._marks = ["?", *(_encode(secret)[1:-1] for secret in self._secrets)]

    def format(self, record: logging.LogRecord) -> str:
        attributes = vars(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        for attribute, name in _NAMES:
            if (value := attributes.get(attribute)) is not None:
                line[name] = value
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = trace_of(record.exc_info[1], record.exc_info[2])
        return self._without_secrets(line)

    def _without_secrets(self, line: dict[str, Any]) -> str:
        """Encode the line. Its texts are cleaned only if it has something to clean, which few lines have.

        Each character is encoded by itself: a text that holds a secret, encoded, holds the encoded secret.
        """
        encoded = _encode(line)
        if not any(mark in encoded for mark in self._marks):
            return encoded
        return _encode({name: self._clean(value) for name, value in line.items()})

    def _clean(self, value: Any) -> Any:
        """Clean the texts in a value, also in a collection, and what another object, such as an exception, says."""
        match value:
            case str():
                return self._clean_text(value)
            case None | bool() | int() | float():
                return value
            case dict():
                return {self._clean_text(str(key)): self._clean(each) for key, each in value.items()}
            case list() | tuple():
                return [self._clean(each) for each in value]
            case _:
                return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        """Remove query strings, which can hold the verify token, and every known secret."""
        text = _QUERY.sub("?…", text)
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text
