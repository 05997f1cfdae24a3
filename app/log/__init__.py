"""The log: a JSON object a line on standard error, on a terminal readable text. Nothing ever waits for it."""

from app.log.contact_label import ContactLabel, ContactPolicy
from app.log.json_lines import FIELDS, JsonFormatter
from app.log.output import flush_output, lines_lost, take_over_output
from app.log.setup import configure_logging, log_failed_greenlets, log_uncaught_errors
from app.log.terminal_lines import for_terminal
from app.log.throttle import Throttle

__all__ = [
    "FIELDS",
    "ContactLabel",
    "ContactPolicy",
    "JsonFormatter",
    "Throttle",
    "configure_logging",
    "flush_output",
    "for_terminal",
    "lines_lost",
    "log_failed_greenlets",
    "log_uncaught_errors",
    "take_over_output",
]
