"""A customer, or a group, as a client names one in a query or a path."""

import re

from app.domain.meta.payloads.recipients import phone_of
from app.web.errors import ApiError

ANY_NAME = re.compile(r"\+?[!-~]{1,300}", re.ASCII)


def contact_name(given: str, form: re.Pattern[str] = ANY_NAME) -> str:
    """Return a name as the store has it. Raises `ApiError` (400) if it is no phone number and does not match `form`.

    A phone number is written as in a message, or without its plus sign, which a query decodes to a blank.
    """
    if phone := phone_of(given):
        return phone.removeprefix("+")
    if form.fullmatch(given):
        return given.removeprefix("+")
    raise ApiError("invalid_parameter", "The contact must be a phone number, a user id or a group's id.")
