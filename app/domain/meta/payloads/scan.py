"""One walk over a whole body, before its fields are checked: what no field may hold, wherever it is."""

import math
import re
from collections.abc import Generator, Iterable
from typing import Any

from app.domain.meta.payloads.findings import Finding, Path
from app.domain.meta.payloads.values import MAX_NUMBER_LENGTH, MIN_HUGE_INTEGER

MAX_DEPTH = 32
"""Deepest nesting of a body. The deepest message of Meta's, a carousel of a template, has 9 levels."""

MAX_VALUES = 20_000
"""Fields and items in all. 257 contacts with all of their fields have 8,000; a check must not cost seconds."""

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def scan(body: dict[str, Any]) -> Generator[Finding, None, bool]:
    """Yield what PostgreSQL, JSON or Meta cannot take, and what is nested too deeply.

    Return whether the body is small enough to be looked at further.
    """
    left = yield from _scan(body, (), MAX_VALUES)
    return left >= 0


def _scan(container: dict[str, Any] | list[Any], path: Path, left: int) -> Generator[Finding, None, int]:
    """Yield what is wrong below this path. Return how many more values the body may hold; negative if too many."""
    left -= len(container)
    if left < 0:
        yield Finding(f"must not hold more than {MAX_VALUES} values")
        return left
    pairs: Iterable[tuple[str | int, Any]] = (
        container.items() if isinstance(container, dict) else enumerate(container)
    )
    for key, value in pairs:
        if isinstance(key, str) and not _is_storable(key):
            yield Finding("must not have NUL or a half of a surrogate pair in its name", path=(*path, key))
        if not isinstance(value, (dict, list)):
            if message := _what_is_wrong(value):
                yield Finding(message, path=(*path, key))
        elif len(path) + 1 == MAX_DEPTH:
            yield Finding(f"must not be nested more than {MAX_DEPTH} levels deep", path=(*path, key))
        else:
            left = yield from _scan(value, (*path, key), left)
            if left < 0:
                break
    return left


def _is_storable(text: str) -> bool:
    """Return whether there is no such character. Of ASCII, which most texts are, only NUL is looked for."""
    return "\0" not in text if text.isascii() else not _UNSTORABLE.search(text)


def _what_is_wrong(value: object) -> str | None:
    if isinstance(value, str):
        return None if _is_storable(value) else "must not hold NUL or a half of a surrogate pair"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and abs(value) >= MIN_HUGE_INTEGER:
        return f"must have at most {MAX_NUMBER_LENGTH} digits"
    return None
