"""The families of event types: the first part of a type. The families are known; their members are an open set.

Meta's own words make the rest of a type, such as `message.<type>`, and Meta adds to them at any time. A new family
comes only with new code: until then its events are `unknown.<field>`. So a glob that matches no family is wrong.
"""

import re
from difflib import get_close_matches
from fnmatch import fnmatchcase

ALONE = "error"
"""The only type that is a family by itself."""

FAMILIES = (
    "account",
    "app_state",
    "automatic",
    "business",
    "call",
    "contact",
    "conversation",
    "echo",
    ALONE,
    "flow",
    "group",
    "history",
    "message",
    "operator",
    "outbound",
    "partner",
    "payment",
    "phone_number",
    "template",
    "tracking",
    "unknown",
)
_WILDCARD = re.compile(r"[*?]")


def can_match(glob: str) -> bool:
    """Return whether a type or a glob can match an event of some family."""
    fixed = _WILDCARD.split(glob)[0]
    if fixed == glob and "." not in glob:
        return glob == ALONE
    head, dot, _ = fixed.partition(".")
    if dot:
        return head in FAMILIES
    return any(fnmatchcase(family, glob) or f"{family}.".startswith(fixed) for family in FAMILIES)


def mistake_in(glob: str) -> str | None:
    """Return what is wrong with a glob that can match no event, with the nearest family; else None.

    The glob is repeated only if it is nearly a right one: it may be a secret that was put in the wrong place.
    """
    if can_match(glob):
        return None
    head = _WILDCARD.split(glob.partition(".")[0])[0]
    near = [head] if head in FAMILIES else get_close_matches(head, FAMILIES, 1)
    if near:
        return f"{glob} matches no event; did you mean {near[0]}.*?"
    return f"It matches no event; types begin with {', '.join(FAMILIES)}."
