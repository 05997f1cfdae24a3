"""The form of our own JSON: camelCase names, times in ISO 8601 with `Z`, lists in pages."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import marshmallow as ma

from app.domain.destination import DestinationState
from app.domain.timestamps import iso
from app.web.errors import ApiError


class CamelSchema(ma.Schema):
    """A schema with snake_case names in Python and camelCase names on the wire."""

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        head, *tail = (field_obj.data_key or field_name).split("_")
        field_obj.data_key = head + "".join(part.title() for part in tail)


class Timestamp(ma.fields.AwareDateTime):
    """A timestamp: written in UTC with milliseconds, read in ISO 8601 with its zone."""

    EXPECTED = "It must be a time with its zone, such as 2026-01-02T03:04:05Z."
    default_error_messages = {"invalid": EXPECTED, "invalid_awareness": EXPECTED}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return iso(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and "\0" in value:  # Python's parser stops there, and ignores what follows
            raise ApiError("invalid_parameter", f"{attr} holds a NUL character. {self.EXPECTED}")
        timestamp: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return timestamp.astimezone(UTC)
        except OverflowError as error:  # within hours of the first or the last datetime
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


class ErrorBody(CamelSchema):
    """An error: a stable code, a message for people, and the request's id."""

    code = ma.fields.String(required=True)
    message = ma.fields.String(required=True)
    request_id = ma.fields.String(required=True)
    details = ma.fields.Dict()


class ErrorSchema(ma.Schema):
    """The body of every error."""

    error = ma.fields.Nested(ErrorBody, required=True)


class HomeLinks(CamelSchema):
    """The paths that a newcomer needs."""

    docs = ma.fields.String(required=True, metadata={"example": "/docs"})
    openapi = ma.fields.String(required=True, metadata={"example": "/openapi.json"})
    health = ma.fields.String(required=True, metadata={"example": "/healthz"})
    readiness = ma.fields.String(required=True, metadata={"example": "/readyz"})
    status = ma.fields.String(required=True, metadata={"example": "/status"})
    api = ma.fields.String(required=True, metadata={"example": "/api"})


class HomeSchema(CamelSchema):
    """The JSON answer of `/`."""

    service = ma.fields.String(required=True)
    links = ma.fields.Nested(HomeLinks, required=True)


class ContactSchema(CamelSchema):
    """A customer, as far as Meta identifies it. `userId` is stable; the phone number `waId` may be missing."""

    wa_id = ma.fields.String()
    user_id = ma.fields.String()
    parent_user_id = ma.fields.String()
    username = ma.fields.String()
    profile_name = ma.fields.String()


class DestinationSchema(CamelSchema):
    """A destination and its state. The URL is shown without user info.

    `oldestUndeliveredAt`: when the oldest event was received that it has not accepted yet. `refusals`: how many
    different events in a row it has refused with a 4xx.
    """

    name = ma.fields.String(required=True)
    url = ma.fields.String(required=True)
    format = ma.fields.String(required=True, validate=ma.validate.OneOf(["events", "meta"]))
    state = ma.fields.Enum(DestinationState, by_value=True, required=True)
    waiting = ma.fields.Integer(required=True)
    dead = ma.fields.Integer(required=True)
    last_success_at = Timestamp(required=True, allow_none=True)
    last_error_at = Timestamp(required=True, allow_none=True)
    oldest_undelivered_at = Timestamp(required=True, allow_none=True)
    paused_at = Timestamp(required=True, allow_none=True)
    refusals = ma.fields.Integer(required=True)
    last_error = ma.fields.String(required=True, allow_none=True)


@cache
def page_of(item: type[ma.Schema]) -> type[ma.Schema]:
    """Return the schema of a page of these items."""
    name = item.__name__.removesuffix("Schema")
    fields: dict[str, ma.fields.Field[Any]] = {
        "items": ma.fields.List(ma.fields.Nested(item), required=True),
        "nextCursor": ma.fields.String(required=True, allow_none=True),
    }
    return ma.Schema.from_dict(fields, name=f"{name}PageSchema")
