"""Times on the command line: read as `2h` (ago) or in ISO 8601, and shown on a terminal as "3 min ago"."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from app.domain.timestamps import iso

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EXAMPLES = "such as 2h (ago; s, m, h, d or w), 2026-01-02T03:04:05Z, or 2026-01-02 (local time)"

_TIME = re.compile(r"(?:\bat )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.ASCII)
_AGO = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)


class TimeAgo(click.ParamType[str]):
    """A time, as the API takes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(iso(_read(str(value), datetime.now(UTC))))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time, {EXAMPLES}.", param, ctx)


def since_option(what: str) -> Decorator:
    """Return the option for the time from which on something is chosen."""
    return click.option("--since", type=TimeAgo(), help=f"{what} at this time or later, {EXAMPLES}.")


def until_option(what: str) -> Decorator:
    """Return the option for the time until which something is chosen."""
    return click.option("--until", type=TimeAgo(), help=f"{what} before this time.")


def is_time(name: str, value: Any) -> bool:
    """Return whether a field of an answer is a time."""
    last = name.rpartition(".")[2]
    return isinstance(value, str) and (last in ("at", "since", "until") or last.endswith("At"))


def for_people(value: str) -> str:
    """Return a time as people read it on a terminal, and unchanged where a program may read it."""
    return ago(value, datetime.now(UTC)) if sys.stdout.isatty() else value


def times_for_people(text: str) -> str:
    """Return a sentence with its times as people read them on a terminal, and unchanged elsewhere."""
    return with_times_ago(text, datetime.now(UTC)) if sys.stdout.isatty() else text


def with_times_ago(text: str, now: datetime) -> str:
    """Return a sentence with "3 min ago" in the place of its times, and of "at" before them."""
    return _TIME.sub(lambda found: ago(found[1], now), text)


def ago(value: str, now: datetime) -> str:
    """Return how long ago a time is, or how far ahead; another text unchanged."""
    try:
        seconds = round((now - datetime.fromisoformat(value)).total_seconds())
    except (ValueError, TypeError):  # a server may answer anything
        return value
    text = _duration(abs(seconds))
    return f"in {text}" if seconds < 0 else f"{text} ago"


def _duration(seconds: int) -> str:
    for size, unit, below in ((1, "s", 120), (60, "min", 120), (3600, "h", 48)):
        if seconds < size * below:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86400} days"


def _read(value: str, now: datetime) -> datetime:
    if match := _AGO.fullmatch(value):
        return now - timedelta(**{UNITS[match[2]]: int(match[1])})
    return datetime.fromisoformat(value).astimezone(UTC)
