"""A delivery's attempts as the JSON of a column and back."""

import json
from collections.abc import Iterable
from datetime import datetime

from app.domain.delivery import KEPT_ATTEMPTS, Attempt


def attempts_of(column: bytes) -> tuple[Attempt, ...]:
    """The attempts that a column holds."""
    return tuple(
        Attempt(datetime.fromisoformat(at), status, error, duration_ms)
        for at, status, error, duration_ms in json.loads(bytes(column))
    )


def column_of(attempts: Iterable[Attempt]) -> bytes:
    """The last of these attempts as a column."""
    kept = [(one.at.isoformat(), one.status, one.error, one.duration_ms) for one in attempts][-KEPT_ATTEMPTS:]
    return json.dumps(kept, separators=(",", ":")).encode("ascii")
