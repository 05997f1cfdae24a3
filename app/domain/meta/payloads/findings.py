"""The finding of a check: a mistake or a warning, and where it is in the body.

A check is a generator of findings, so that a hostile body is read only until enough has been found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum, auto

MAX_KEY_LENGTH = 100
"""A longer key is cut in a pointer: a body must not be repeated in its refusal."""

MAX_SEARCHES = 100

Path = tuple[str | int, ...]
"""Keys and indexes, from the top of a body down."""


class Severity(Enum):
    """Whether a finding costs the message."""

    WRONG = auto()
    """Refused."""
    STRICT = auto()
    """Refused by wats; left to Meta where a client speaks to Meta through wats, because it may be newer than wats."""
    WARNING = auto()
    """Accepted, and reported."""


Hint = str | Callable[[], str | None] | None
"""Advice on what to write instead, or a function that finds it, for findings that may stay unreported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. The message continues the sentence that begins with the field: "must be a string"."""

    message: str
    hint: Hint = None
    severity: Severity = Severity.WRONG
    path: Path = ()

    def below(self, *steps: str | int) -> "Finding":
        """Return the finding as seen from further above in the body."""
        return replace(self, path=(*steps, *self.path))

    @property
    def advice(self) -> str | None:
        """Return what to write instead."""
        return self.hint() if callable(self.hint) else self.hint

    @property
    def pointer(self) -> str:
        """Return the place in the body as a JSON pointer (RFC 6901)."""
        return "".join(f"/{_token(step)}" for step in self.path)


Findings = Iterator[Finding]


class Advice:
    """Gives the hints of all findings in one request. Those that must be searched for are given to the first few
    only: a search takes some 60 µs, and a batch may have 50,000 mistakes."""

    def __init__(self) -> None:
        self._searches_left = MAX_SEARCHES

    def on(self, finding: Finding) -> str | None:
        """Return what to write instead."""
        if callable(finding.hint):
            if not self._searches_left:
                return None
            self._searches_left -= 1
        return finding.advice


def below(findings: Findings, *steps: str | int) -> Findings:
    """Yield the findings of a part as findings of the whole."""
    return (finding.below(*steps) for finding in findings)


def strict(message: str, hint: Hint = None) -> Finding:
    """Return a finding that is left to Meta where a client speaks to Meta through wats."""
    return Finding(message, hint, Severity.STRICT)


def warning(message: str, hint: str | None = None, path: Path = ()) -> Finding:
    """Return a finding that does not cost the message."""
    return Finding(message, hint, Severity.WARNING, path)


def _token(step: str | int) -> str:
    return printable(str(step)).replace("~", "~0").replace("/", "~1")


def printable(text: str) -> str:
    """Return a text of a client's as it may be repeated: cut, and with unprintable characters escaped."""
    excerpt = text if len(text) <= MAX_KEY_LENGTH else f"{text[:MAX_KEY_LENGTH]}…"
    return excerpt if excerpt.isprintable() else excerpt.encode("unicode_escape").decode("ascii")


def quoted(words: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Return words as a list for people: `a`, `b` or `c`."""
    *first, last = (f"`{word}`" for word in words)
    return f"{', '.join(first)} or {last}" if first else last


def json_type(value: object) -> str:
    """Return what JSON calls a value, with an article."""
    return _JSON_TYPES.get(type(value), "another type")


_JSON_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def nearest(word: str, known: set[str]) -> str | None:
    """Return a hint that names the known word which a mistyped one may stand for, else all of them."""
    plain = {_plain(each): each for each in sorted(known)}
    if len(word) <= MAX_KEY_LENGTH:
        for close in get_close_matches(_plain(word), plain, n=1):
            return f"did you mean `{plain[close]}`?"
    return f"known here: {', '.join(f'`{each}`' for each in sorted(known))}" if known else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
