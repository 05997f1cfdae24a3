"""The form of a kind of alert. The kinds themselves are in `app.health.alert_kinds`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.alert import Alert


class Urgency(StrEnum):
    """`page`: customers notice, or soon will. `ticket`: look at it today."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True)
class AlertKind:
    """One kind of alert. `subject`: what its subject is. `meaning` and `steps` are for the runbook.

    `cure`: a command or a setting, in one sentence, in which `{subject}` is filled in.
    """

    code: str
    urgency: Urgency
    subject: str
    cure: str
    meaning: str
    steps: str

    def alert(
        self, cause: str, subject: str = "", *, since: datetime | None = None, cure: str | None = None
    ) -> Alert:
        """Return an alert of this kind. `cure` replaces the usual one."""
        return Alert(self.code, subject, cause, (cure or self.cure).replace("{subject}", subject), since)
