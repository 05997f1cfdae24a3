"""Checkers of single values: a text, a number, a word of a list, a URL, a date.

A checker says what it accepts (`describe`, for messages and for docs/messages.md) and yields what is wrong with a
value. Lengths count Unicode code points: Meta documents no unit, and this one refuses no text that Meta accepts.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from urllib.parse import urlsplit

from app.domain.meta.payloads.findings import Finding, Findings, json_type, quoted, strict, warning

MAX_NUMBER_LENGTH = 40
MIN_HUGE_INTEGER = 10**MAX_NUMBER_LENGTH
"""Integers from this one on are refused: Python prints none with more than 4300 digits, and no field needs one."""

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_NOT_IN_PARAMETER = re.compile(r"[\n\r\t]| {5}")
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f]")


class Checker(Protocol):
    """Checks the value of a field."""

    def check(self, value: object) -> Findings:
        """Yield what is wrong with a value of any type. Never raises."""
        ...

    def describe(self) -> str:
        """Return what is accepted, as the end of the sentence "must be …"."""
        ...


@dataclass(frozen=True)
class Text:
    """A string of `min` to `max` code points. If `min` is not 0, it must not be blank."""

    min: int
    max: int
    pattern: re.Pattern[str] | None = None
    hint: str | None = None
    warn_above: int | None = None

    def check(self, value: object) -> Findings:
        """Yield the first thing that is wrong."""
        if not isinstance(value, str):
            yield Finding(f"must be {self.describe()}, not {json_type(value)}", self.hint)
        elif self.min and (not value or value.isspace()):
            yield Finding("must not be blank" if value else "must not be empty", self.hint)
        elif len(value) > self.max:
            yield Finding(f"must have at most {self.max} characters; it has {len(value)}", self.hint)
        elif len(value) < self.min or (self.pattern is not None and not self.pattern.fullmatch(value)):
            yield Finding(f"must be {self.describe()}", self.hint)
        elif self.warn_above is not None and len(value) > self.warn_above:
            yield warning(f"has {len(value)} characters; Meta may refuse more than {self.warn_above}")

    def describe(self) -> str:
        """Return the limits, and the pattern's meaning."""
        least = "" if self.min == self.max else f"{self.min} to " if self.min else "at most "
        limits = f"a string of {least}{self.max} characters"
        meaning = f": {self.hint}" if self.pattern is not None and self.hint else ""
        return f"{limits}{meaning}{f' (more than {self.warn_above}: a warning)' if self.warn_above else ''}"


@dataclass(frozen=True)
class ParameterText:
    """A value for a variable of a template. Meta refuses line breaks, tabs and five spaces (132018, 132012)."""

    max: int

    def check(self, value: object) -> Findings:
        """Yield what is wrong with the text, also what Meta would refuse only later and with a less clear error."""
        yield from Text(1, self.max).check(value)
        if isinstance(value, str) and _NOT_IN_PARAMETER.search(value):
            yield Finding(
                "must not hold a line break, a tab or more than 4 spaces in a row",
                "put line breaks into the template's own text, or send one line for each variable",
            )

    def describe(self) -> str:
        """Return the limits."""
        return f"a string of 1 to {self.max} characters without line break, tab or five spaces in a row"


@dataclass(frozen=True)
class Number:
    """A number, or the same as a string: Meta's samples do both."""

    min: float
    max: float

    def check(self, value: object) -> Findings:
        """Yield what is wrong. A boolean is no number, and NaN is in no range."""
        if isinstance(value, str) and len(value) <= MAX_NUMBER_LENGTH and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.min <= value <= self.max:
            yield Finding(f"must be {self.describe()}")

    def describe(self) -> str:
        """Return the limits."""
        return f"a number from {self.min} to {self.max}"


@dataclass(frozen=True)
class Integer:
    """An integer, or the same as a string."""

    min: int | None = None
    max: int | None = None
    hint: str | None = None

    def check(self, value: object) -> Findings:
        """Yield what is wrong. A boolean is no integer, nor is 1.0."""
        number = integer_of(value)
        if number is None or not _is_between(self.min, number, self.max):
            yield Finding(f"must be {self.describe()}", self.hint)

    def describe(self) -> str:
        """Return the limits."""
        if self.min == self.max and self.min is not None:
            return f"{self.min}"
        lower = "" if self.min is None else f" from {self.min}"
        upper = "" if self.max is None else f" to {self.max}"
        return f"an integer{lower}{upper}"


def _is_between(low: int | None, number: int, high: int | None) -> bool:
    return (low is None or low <= number) and (high is None or number <= high)


@dataclass(frozen=True)
class MetaId:
    """An id that Meta gave: today a string of digits, which some clients send as a number."""

    max: int = 64

    def check(self, value: object) -> Findings:
        """Yield what is wrong. An integer is passed on as it is."""
        if type(value) is not int:
            yield from Text(1, self.max).check(value)

    def describe(self) -> str:
        """Return the form."""
        return f"an id of Meta's, at most {self.max} characters"


def integer_of(value: object) -> int | None:
    """Return an integer that is written as a number or as a string."""
    if isinstance(value, str) and len(value) <= MAX_NUMBER_LENGTH and _INTEGER.fullmatch(value):
        return int(value)
    return value if type(value) is int and abs(value) < MIN_HUGE_INTEGER else None


@dataclass(frozen=True)
class Flag:
    """A boolean."""

    def check(self, value: object) -> Findings:
        """Yield what is wrong."""
        if not isinstance(value, bool):
            yield Finding(f"must be {self.describe()}, not {json_type(value)}")

    def describe(self) -> str:
        """Return the two values."""
        return "`true` or `false`"


class Choice:
    """One word of a list. In a client's call of Meta's API (`strict`), Meta decides about other words."""

    def __init__(self, *words: str, any_case: bool = False, hint: str | None = None) -> None:
        self.words, self.any_case, self.hint = words, any_case, hint

    def check(self, value: object) -> Findings:
        """Yield what is wrong."""
        word = value.lower() if self.any_case and isinstance(value, str) else value
        if word not in self.words:
            yield strict(f"must be {self.describe()}", self.hint)

    def describe(self) -> str:
        """Return the words."""
        return quoted(self.words) + (", in any case" if self.any_case else "")


@dataclass(frozen=True)
class Url:
    """An absolute URL that Meta or a customer's phone opens."""

    max: int
    warns_of_http: bool = False

    def check(self, value: object) -> Findings:
        """Yield what is wrong."""
        reasons = list(Text(1, self.max).check(value))
        yield from reasons
        if reasons or not isinstance(value, str):
            return
        if _NOT_IN_URL.search(value):
            yield Finding("must not hold blanks or control characters", "percent-encode them: %20")
        elif not _is_absolute(value):
            yield Finding(f"must be {self.describe()}")
        elif self.warns_of_http and value.lower().startswith("http:"):
            yield warning("is plain http: anyone on the network path can replace the file", "use https")

    def describe(self) -> str:
        """Return the form."""
        return (
            f"a URL with http:// or https:// and a host, without user or password, of at most {self.max} characters"
        )


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:  # an invalid port or IPv6 address
        return False


@dataclass(frozen=True)
class Day:
    """A day of the calendar."""

    def check(self, value: object) -> Findings:
        """Yield what is wrong."""
        if not isinstance(value, str) or not _is_day(value):
            yield Finding(f"must be {self.describe()}")

    def describe(self) -> str:
        """Return the form."""
        return "a day that exists, as `YYYY-MM-DD`"


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
