"""The log: one JSON object a line on standard error, which no request and no job ever waits for."""

from app.log.json_lines import FIELDS, JsonFormatter
from app.log.output import flush_output, lines_lost, take_over_output
from app.log.setup import configure_logging, log_failed_greenlets, log_uncaught_errors
from app.log.throttle import Throttle

__all__ = [
    "FIELDS",
    "JsonFormatter",
    "Throttle",
    "configure_logging",
    "flush_output",
    "lines_lost",
    "log_failed_greenlets",
    "log_uncaught_errors",
    "take_over_output",
]
