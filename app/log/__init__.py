"""One JSON object per line on standard error. Only fields of the list below are written, and never a secret."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

FIELDS = {
    "attempt": "attempt",
    "delivery_id": "deliveryId",
    "destination": "destination",
    "duration_ms": "durationMs",
    "error": "error",
    "event_id": "eventId",
    "events": "events",
    "exit_code": "exitCode",
    "forgotten": "forgotten",
    "job_id": "jobId",
    "kind": "kind",
    "method": "method",
    "name_of": "name",
    "outcome": "outcome",
    "pid_of": "pid",
    "process_of": "process",
    "reason": "reason",
    "receipt_id": "receiptId",
    "receipts": "receipts",
    "request_id": "requestId",
    "route": "route",
    "seconds": "seconds",
    "status": "status",
}
"""Attributes that a call may give in `extra`, and their names on the wire."""

MIN_SECRET_LENGTH = 6

_QUERY = re.compile(r"\?[^\s'\"]*")


class JsonFormatter(logging.Formatter):
    """A record as one line: time, level, logger, event, the listed fields, and a trace if there is one."""

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
        for attribute, name in FIELDS.items():
            if (value := getattr(record, attribute, None)) is not None:
                line[name] = self._clean(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[0] is not None:
            line["trace"] = self._clean("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))

    def _clean(self, text: str) -> str:
        """Without query strings, which hold the verify token, and without any secret that is known."""
        text = _QUERY.sub("?…", text)
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text


def configure_logging(stream: TextIO | None = None, level: str = "INFO", secrets: Iterable[str] = ()) -> None:
    """Write every log line of this process to this stream (standard error) as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(secrets))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("alembic").setLevel("WARNING")
    logging.getLogger("urllib3").setLevel("CRITICAL")  # it quotes URLs, and what a destination's headers say
