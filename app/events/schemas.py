"""The shapes of events and consumers, for the OpenAPI document and for bodies."""

import marshmallow as ma

from app.web.schemas import CamelSchema, Timestamp


class ContactSchema(CamelSchema):
    """A customer: what Meta tells of it. The user id is its stable name; the phone number may be missing."""

    wa_id = ma.fields.String()
    user_id = ma.fields.String()
    parent_user_id = ma.fields.String()
    username = ma.fields.String()
    profile_name = ma.fields.String()


class EventSchema(CamelSchema):
    """One thing that happened. `raw` is Meta's item exactly; `foreign`: of a number that is not the profile's."""

    version = ma.fields.Integer(required=True)
    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    sequence = ma.fields.Integer(required=True)
    occurred_at = Timestamp(required=True)
    received_at = Timestamp(required=True)
    receipt_id = ma.fields.String(required=True)
    waba_id = ma.fields.String(required=True, allow_none=True)
    phone_number_id = ma.fields.String(required=True, allow_none=True)
    foreign = ma.fields.Boolean(required=True)
    contact = ma.fields.Nested(ContactSchema, required=True)
    data = ma.fields.Dict(required=True)
    raw = ma.fields.Raw(required=True, allow_none=True)


class EventPageSchema(ma.Schema):
    """Events, oldest first. `nextCursor` is always there: an empty page gives back the one it was asked with."""

    items = ma.fields.List(ma.fields.Nested(EventSchema), required=True)
    nextCursor = ma.fields.String(required=True)  # noqa: N815 - as on the wire


class ConsumerSchema(CamelSchema):
    """A named reader. `lag`: at most so many events wait for it; `oldestUnreadAt`: when the first of them came in."""

    name = ma.fields.String(required=True)
    cursor = ma.fields.String(required=True)
    lag = ma.fields.Integer(required=True)
    oldest_unread_at = Timestamp(required=True, allow_none=True)
    updated_at = Timestamp(required=True)


class AckSchema(CamelSchema):
    """Up to where a consumer has read: a page's `nextCursor`."""

    cursor = ma.fields.String(required=True)
