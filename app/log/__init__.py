"""The log: one JSON object a line on standard error, which no request and no job ever waits for."""

from app.log.json_lines import FIELDS, JsonFormatter
from app.log.output import flush_output, lines_lost, take_over_output
from app.log.setup import configure_logging

__all__ = [
    "FIELDS",
    "JsonFormatter",
    "configure_logging",
    "flush_output",
    "lines_lost",
    "take_over_output",
]
