"""The shapes of an erasure: what is asked for, and what one step has done."""

import marshmallow as ma

from app.domain.erasure import CONTACT
from app.web.schemas import CamelSchema


class EraseSchema(CamelSchema):
    """Whom to erase: a phone number or a user id. `cursor`: the last step's `nextCursor`."""

    contact = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(rf"(?:{CONTACT.pattern})\Z", error="A phone number or a user id is needed."),
    )
    cursor = ma.fields.String(allow_none=True, load_default=None)


class ErasedSchema(CamelSchema):
    """What one step has erased; `receipts`: how many lost their bytes.

    `pending` and `unreadable` receipts name the contact and were left: their bytes may hold events of others.
    `left`: at most so many receipts are still to be searched.
    """

    events = ma.fields.Integer(required=True)
    deliveries = ma.fields.Integer(required=True)
    receipts = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    unreadable = ma.fields.Integer(required=True)
    left = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
