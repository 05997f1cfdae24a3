"""The types of events that we know: those of our examples, and those of events that are wats's own."""

from fnmatch import fnmatchcase

from app.domain.event import ASKED_FOR_ONLY
from app.web.examples import CHANGES

OPEN = ("unknown.", *ASKED_FOR_ONLY)
"""The prefixes of types that are not listed: of fields that Meta adds one day, and of events that are our own."""


def types_like(pattern: str) -> list[str]:
    """Return the types of our examples that a pattern such as `message.*` matches."""
    return [type_ for type_ in CHANGES if fnmatchcase(type_, pattern)]


def can_match(pattern: str) -> bool:
    """Return whether a pattern can match an event."""
    return pattern.startswith(OPEN) or bool(types_like(pattern))
