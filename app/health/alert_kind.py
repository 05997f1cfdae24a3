"""A kind of alert: its code, how urgent it is, what it means and how it is cured. A cure may name the subject."""

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
    """One kind of alert. `cure`: a command or setting, in one sentence; `meaning` and `steps`: for the runbook."""

    code: str
    urgency: Urgency
    subject: str
    cure: str
    meaning: str
    steps: str

    def alert(
        self, cause: str, subject: str = "", *, since: datetime | None = None, cure: str | None = None
    ) -> Alert:
        """Return an alert of this kind. `cure`: in place of the usual one."""
        return Alert(self.code, subject, cause, (cure or self.cure).format(subject=subject), since)
