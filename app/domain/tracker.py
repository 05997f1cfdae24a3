"""Our id in a message to Meta, which comes back with its statuses: `wats1.<database's id>.<message's id>`.

Meta's field is `biz_opaque_callback_data`. Every application that is subscribed to the number sees ours, and we see
theirs: the database's id distinguishes them. A message that an operator sends again has `.1` behind it, then `.2`: a
decision to send has a tracker of its own.
"""

import re
from dataclasses import dataclass

FIELD = "biz_opaque_callback_data"
_TRACKER = re.compile(r"wats1\.([0-9a-f]{16})\.([0-9a-f]{32})(?:\.([1-9][0-9]{0,3}))?", re.ASCII)


@dataclass(frozen=True)
class Tracker:
    """The database that sent a message, the message's 16 bytes, and how often an operator had sent it again."""

    database_id: str
    message: bytes
    resends: int = 0

    def __str__(self) -> str:
        again = f".{self.resends}" if self.resends else ""
        return f"wats1.{self.database_id}.{self.message.hex()}{again}"


def read_tracker(value: object) -> Tracker | None:
    """Return the tracker in a status; None if it has none, or that of another application."""
    match = _TRACKER.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else Tracker(match[1], bytes.fromhex(match[2]), int(match[3] or 0))
