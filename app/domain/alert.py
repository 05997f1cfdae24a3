"""An alert: a condition that needs a human. The current alerts are compared with those recorded before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

MAX_LENGTH = 500
"""The longest text that is recorded."""

AlertKey = tuple[str, str]
"""The code of an alert and its subject, which identify it."""


@dataclass(frozen=True)
class Alert:
    """A condition that needs a human.

    `code` and `subject` (what it is about, empty for the whole gateway) are stable; `cause` and `cure` may change
    with any release. `since`: when it began, if that is known.
    """

    code: str
    subject: str
    cause: str
    cure: str
    since: datetime | None = None

    @property
    def key(self) -> AlertKey:
        """The part that identifies the alert."""
        return self.code, self.subject

    @property
    def message(self) -> str:
        """Cause and cure in one sentence."""
        return f"{self.cause}; {self.cure}"

    @property
    def recorded_texts(self) -> tuple[str, str]:
        """Cause and cure as they are recorded."""
        return recorded_text(self.cause), recorded_text(self.cure)


@dataclass(frozen=True)
class AlertChanges:
    """`opened`: new alerts. `closed`: alerts that are over, as they were last. `changed`: those with another text."""

    opened: list[Alert]
    closed: list[Alert]
    changed: list[Alert] = field(default_factory=list)


def changes_of(current: Iterable[Alert], recorded: Mapping[AlertKey, Alert]) -> AlertChanges:
    """Compare the current alerts with the recorded ones. Of the texts, only the part that is recorded counts."""
    now = {alert.key: alert for alert in current}
    changed = [
        alert
        for key, alert in now.items()
        if key in recorded and alert.recorded_texts != recorded[key].recorded_texts
    ]
    return AlertChanges(
        opened=[alert for key, alert in now.items() if key not in recorded],
        closed=[alert for key, alert in recorded.items() if key not in now],
        changed=changed,
    )


def recorded_text(text: str) -> str:
    """Return a text as it is recorded: as one line. PostgreSQL refuses NUL and half a surrogate pair."""
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_LENGTH])
