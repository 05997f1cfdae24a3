"""A customer, or a group, as a client names one in a query or a path."""

import re

from app.domain.meta.payloads.recipients import USER_ID, phone_of
from app.web.errors import ApiError

MISTAKE = (
    "The contact must be a phone number with its country code, such as +491701234567, a user id or a group's id."
)
ANY_NAME = re.compile(r"\+?[!-~]{1,300}", re.ASCII)
"""The names that a list accepts: a client of Meta's API may have sent to a text that is none of the three."""

USER_OR_GROUP = re.compile(rf"{USER_ID.pattern}|(?!\+?[0-9]{{1,15}}$)[!-~]{{5,300}}", re.ASCII)
"""A user id or a group's id. Meta gives no form of the latter: a number that is no phone number, or less, is none."""


def contact_name(given: str, form: re.Pattern[str] = ANY_NAME) -> str:
    """Return a name as the store has it. Raises `ApiError` (400) if it is no phone number and does not match `form`.

    A phone number is written as in a message, or without its plus sign, which a query decodes to a blank.
    """
    if phone := phone_of(given):
        return phone.removeprefix("+")
    if form.fullmatch(given):
        return given.removeprefix("+")
    raise ApiError("invalid_parameter", MISTAKE)
