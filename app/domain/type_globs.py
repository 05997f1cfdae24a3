"""Globs over event types: `*` stands for any characters, dots included, `?` for one."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

TYPE_GLOB = re.compile(r"[A-Za-z0-9_.*?-]{1,100}", re.ASCII)
"""An event type or a glob. Brackets, which fnmatch would understand too, are none of ours."""


def type_matches(event_type: str, globs: Sequence[str]) -> bool:
    """Tells whether one of the globs stands for this type."""
    return any(fnmatchcase(event_type, glob) for glob in globs)
