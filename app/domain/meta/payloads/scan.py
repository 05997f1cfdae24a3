"""One walk over a whole body, before its fields are checked: what no field may hold, wherever it stands."""

import math
import re
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings

MAX_DEPTH = 32
"""Deepest nesting of a body. The deepest message of Meta's, a carousel of a template, has 9 levels."""

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def scan(body: object) -> Findings:
    """Yield what PostgreSQL cannot hold and Meta does not take: NUL, lone surrogates, NaN, too deep nesting."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if _UNSTORABLE.search(value):
                yield Finding("must not hold NUL or a half of a surrogate pair", "send valid UTF-8 text", path=path)
        elif isinstance(value, float):
            if not math.isfinite(value):
                yield Finding("must be a finite number", path=path)
        elif not isinstance(value, dict | list):
            continue
        elif len(path) >= MAX_DEPTH:
            yield Finding(f"must not be nested more than {MAX_DEPTH} levels deep", path=path)
        else:
            yield from _bad_keys(path, value)
            waiting += [((*path, key), inner) for key, inner in reversed(_items(value))]


def _items(value: dict[str, Any] | list[Any]) -> list[tuple[str | int, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def _bad_keys(path: tuple[str | int, ...], value: dict[str, Any] | list[Any]) -> Findings:
    if isinstance(value, dict):
        for key in value:
            if _UNSTORABLE.search(key):
                yield Finding("must not have NUL or a half of a surrogate pair in its name", path=(*path, key))
