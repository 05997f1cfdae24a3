"""The alert about a failed message, if a human should know why Meta has refused it.

Most errors of failed messages concern no human, such as a number without WhatsApp. Of one that is about a country, an
alert is raised for each country: the first would hide the others.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.erasure import is_phone
from app.domain.message import Message, MessageStatus, name_sent_to
from app.domain.meta import scalars
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import graph_error

OF_COUNTRY = {130497}
"""The codes of errors that are about the customer's country."""

_CALLING_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3}", re.ASCII)
"""The calling codes of one and of two digits; all others have three. Source: ITU-T E.164, list of assigned codes."""


@dataclass(frozen=True)
class FailureSign:
    """Messages that failed lately under one alert: how many, since when, and the last one's error.

    `subject`: what the alert is about. `has_more`: there are more than were counted.
    """

    subject: str
    count: int
    since: datetime
    error: Any
    has_more: bool = False

    @property
    def country(self) -> str | None:
        """The country that the alert is about, if it is about one."""
        return self.subject.partition(":")[2] or None


def alert_subject(message: Message) -> str | None:
    """Return the subject of the alert that a message raises: Meta's code, perhaps with a country; None if none."""
    error = graph_error(message.error) if message.status is MessageStatus.FAILED else None
    if error is None or not rule_in_status(error).alerts:
        return None
    country = country_of(name_sent_to(message.to, message.recipient)) if error.code in OF_COUNTRY else None
    return str(error.code) if country is None else f"{error.code}:{country}"


def country_of(name: str) -> str | None:
    """Return the calling code of a phone number, or the two letters of a user id; None for a group."""
    if scalars.is_user_id(name):
        return name[:2]
    found = _CALLING_CODE.match(name) if is_phone(name) else None
    return None if found is None else f"+{found[0]}"
