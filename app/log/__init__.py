"""The log: a JSON object a line on standard error, on a terminal readable text. Nothing ever waits for it.

`app.log.contact_label` is imported by itself: it loads OpenSSL, which the supervisor does without.
"""

from app.log.json_lines import FIELDS, JsonFormatter
from app.log.output import flush_output, lines_lost, take_over_output
from app.log.setup import NativeLockHandler, configure_logging, log_failed_greenlets, log_uncaught_errors
from app.log.terminal_lines import for_terminal
from app.log.throttle import Throttle

__all__ = [
    "FIELDS",
    "JsonFormatter",
    "NativeLockHandler",
    "Throttle",
    "configure_logging",
    "flush_output",
    "for_terminal",
    "lines_lost",
    "log_failed_greenlets",
    "log_uncaught_errors",
    "take_over_output",
]
