"""The schemas of an erasure: the request, and the result of one step."""

import marshmallow as ma

from app.domain.erasure import CONTACT
from app.web.schemas import CamelSchema


class EraseSchema(CamelSchema):
    """The customer to erase: a phone number or a user id. `cursor`: `nextCursor` of the last step."""

    contact = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(
            rf"(?:{CONTACT.pattern})\Z",
            error="A phone number (digits only, without spaces; a + before them is fine) or a user id is needed.",
        ),
    )
    cursor = ma.fields.String(allow_none=True, load_default=None)


class ErasedSchema(CamelSchema):
    """The result of one step of an erasure. `receipts`: the number of receipts whose body was erased.

    `pending` and `unreadable` receipts name the contact and were kept: they may hold updates about other customers.
    `remaining`: ids of events that name the contact and are kept: they are about another customer, or about none.
    `left`: the largest possible number of receipts still to be searched.
    """

    events = ma.fields.Integer(required=True)
    deliveries = ma.fields.Integer(required=True)
    messages = ma.fields.Integer(required=True)
    receipts = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    unreadable = ma.fields.Integer(required=True)
    remaining = ma.fields.List(ma.fields.String(), required=True)
    left = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
