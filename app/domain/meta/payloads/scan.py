"""One walk over a whole body, before its fields are checked: what no field may hold, wherever it stands."""

import math
import re
from collections.abc import Generator
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, Path
from app.domain.meta.payloads.values import MAX_NUMBER_LENGTH, MIN_HUGE_INTEGER

MAX_DEPTH = 32
"""Deepest nesting of a body. The deepest message of Meta's, a carousel of a template, has 9 levels."""

MAX_VALUES = 20_000
"""Fields and items in all. 257 contacts with all of their fields have 8,000; a check must not cost seconds."""

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def scan(body: object) -> Generator[Finding, None, bool]:
    """Yield what PostgreSQL, JSON or Meta cannot take, and what is nested too deeply.

    Return whether the body is small enough to be looked at further.
    """
    waiting: list[tuple[Path, Any]] = [((), body)]
    left = MAX_VALUES
    while waiting:
        path, value = waiting.pop()
        left -= len(value) if isinstance(value, dict | list) else 0
        if left < 0:
            yield Finding(f"must not hold more than {MAX_VALUES} values")
            return False
        if isinstance(value, dict | list) and len(path) < MAX_DEPTH:
            yield from _bad_keys(path, value)
            waiting += [((*path, key), inner) for key, inner in reversed(_items(value))]
        elif message := _what_is_wrong(value):
            yield Finding(message, path=path)
    return True


def _what_is_wrong(value: object) -> str | None:
    match value:
        case str() if _UNSTORABLE.search(value):
            return "must not hold NUL or a half of a surrogate pair"
        case float() if not math.isfinite(value):
            return "must be a finite number"
        case int() if abs(value) >= MIN_HUGE_INTEGER:
            return f"must have at most {MAX_NUMBER_LENGTH} digits"
        case dict() | list():
            return f"must not be nested more than {MAX_DEPTH} levels deep"
        case _:
            return None


def _items(value: dict[str, Any] | list[Any]) -> list[tuple[str | int, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def _bad_keys(path: Path, value: dict[str, Any] | list[Any]) -> Findings:
    if isinstance(value, dict):
        for key in value:
            if _UNSTORABLE.search(key):
                yield Finding("must not have NUL or a half of a surrogate pair in its name", path=(*path, key))
