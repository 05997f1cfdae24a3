"""Makes this process's log lines: what our code and libraries log."""

import logging
import sys
from collections.abc import Iterable
from typing import TextIO

from app.log.json_lines import JsonFormatter


def configure_logging(stream: TextIO | None = None, level: str = "INFO", secrets: Iterable[str] = ()) -> None:
    """Write every log line of this process as JSON to this stream, by default standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(secrets))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("alembic").setLevel("WARNING")
