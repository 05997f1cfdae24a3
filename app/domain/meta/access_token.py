"""Meta's answer about an access token, and how long it is relied on.

Source: Meta, "Debug token" of the Graph API: `is_valid`; `expires_at` and `data_access_expires_at`, 0 for never, as
for a system user's token. A dead token cannot ask: the answer is an error then, most often 190.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import ErrorClass, ErrorScope, error_of_answer
from app.domain.meta.scalars import text, timestamp

PATH = "debug_token"
NOTICE = timedelta(days=7)
"""How long before its end there is an alert."""

GOOD_FOR, BAD_FOR = timedelta(hours=6), timedelta(minutes=15)
"""How long an answer is relied on: one that says the token is valid, and any other."""

MAX_REASON = 200


@dataclass(frozen=True)
class TokenLife:
    """Meta's last statement about a token. `ends_at`: None if it never ends. `reason`: why it is not valid."""

    asked_at: datetime
    is_valid: bool
    ends_at: datetime | None = None
    reason: str = ""

    def is_dead(self, now: datetime) -> bool:
        """Return whether Meta refuses every call with this token."""
        return not self.is_valid or (self.ends_at is not None and self.ends_at <= now)

    def ends_soon(self, now: datetime) -> bool:
        """Return whether the token is valid, but not for long."""
        return not self.is_dead(now) and self.ends_at is not None and self.ends_at - now < NOTICE

    def is_old(self, now: datetime) -> bool:
        """Return whether Meta should be asked again."""
        is_good = not (self.is_dead(now) or self.ends_soon(now))
        return abs(now - self.asked_at) >= (GOOD_FOR if is_good else BAD_FOR)


def token_query(token: str) -> str:
    """Return the query that asks about a token."""
    return urlencode({"input_token": token})


def token_life(document: dict[str, Any] | None, status: int, at: datetime) -> TokenLife | None:
    """Return what an answer says about the token that asked; None if it says nothing about it."""
    error = error_of_answer(document)
    if error is not None:
        rule = rule_for(error, status)
        is_of_token = rule.error_class is ErrorClass.STOPPED and rule.scope is ErrorScope.APP
        return TokenLife(at, is_valid=False, reason=error.summary[:MAX_REASON]) if is_of_token else None
    data = document.get("data") if document is not None else None
    return life_in(data, at) if isinstance(data, dict) and "is_valid" in data else None


def life_in(data: dict[str, Any], at: datetime) -> TokenLife:
    """Return what the object `data` of an answer says about a token."""
    ends = [timestamp(data.get(key)) for key in ("expires_at", "data_access_expires_at")]
    end = min((each for each in ends if each is not None), default=None)
    if data.get("is_valid") is True:
        return TokenLife(at, is_valid=True, ends_at=end)
    error = data.get("error")
    said = text(error.get("message")) if isinstance(error, dict) else None
    return TokenLife(at, is_valid=False, ends_at=end, reason=(said or "it is not valid")[:MAX_REASON])
