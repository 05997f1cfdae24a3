"""The schemas of events and consumers: the OpenAPI document, and validation of the `ack` body."""

from typing import Any

import marshmallow as ma

from app.web.schemas import CamelSchema, ContactSchema, Timestamp


class EventSchema(CamelSchema):
    """One thing that happened. `raw` is Meta's item exactly; `foreign`: its account or number is not ours."""

    version = ma.fields.Integer(required=True)
    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    sequence = ma.fields.Integer(required=True)
    occurred_at = Timestamp(required=True)
    received_at = Timestamp(required=True)
    receipt_id = ma.fields.String(required=True, allow_none=True)
    waba_id = ma.fields.String(required=True, allow_none=True)
    phone_number_id = ma.fields.String(required=True, allow_none=True)
    foreign = ma.fields.Boolean(required=True)
    contact = ma.fields.Nested(ContactSchema, required=True)
    data = ma.fields.Dict(required=True)
    raw = ma.fields.Raw(required=True, allow_none=True)


class EventPageSchema(ma.Schema):
    """Events. Oldest first, `nextCursor` is never null: an empty page returns the cursor of the request."""

    items = ma.fields.List(ma.fields.Nested(EventSchema), required=True)
    nextCursor = ma.fields.String(required=True, allow_none=True)  # noqa: N815 - as on the wire


class ConsumerSchema(CamelSchema):
    """A named reader. `lag`: upper bound of its unread events; `oldestUnreadAt`: when the oldest of them came."""

    name = ma.fields.String(required=True)
    cursor = ma.fields.String(required=True)
    lag = ma.fields.Integer(required=True)
    oldest_unread_at = Timestamp(required=True, allow_none=True)
    updated_at = Timestamp(required=True)


class AckSchema(CamelSchema):
    """How far a consumer has read: to the `nextCursor` of a page, or to the first event received `since`."""

    cursor = ma.fields.String()
    since = Timestamp()

    @ma.validates_schema
    def check_one(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse both, and neither."""
        if ("cursor" in data) == ("since" in data):
            raise ma.ValidationError("Give either cursor or since.", "cursor")
