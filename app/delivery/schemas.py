"""The form of deliveries and replays on the wire."""

from typing import Any

import marshmallow as ma

from app.domain.delivery import DeliveryState
from app.domain.event import TYPE_GLOB
from app.domain.replay import Selection
from app.web.schemas import CamelSchema, Timestamp

MAX_GLOBS = 100
NAME = ma.validate.Length(min=1, max=64)


class AttemptSchema(CamelSchema):
    """One POST: the status of the answer, or what went wrong; both where an answer was no 2xx."""

    at = Timestamp(required=True)
    status = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, allow_none=True)
    duration_ms = ma.fields.Integer(required=True)


class DeliverySchema(CamelSchema):
    """One event on its way to one destination, with its last attempts."""

    id = ma.fields.String(required=True)
    event_id = ma.fields.String(required=True)
    destination = ma.fields.String(required=True)
    state = ma.fields.Enum(DeliveryState, by_value=True, required=True)
    attempts = ma.fields.List(ma.fields.Nested(AttemptSchema), required=True)
    next_attempt_at = Timestamp(required=True, allow_none=True)


class TrialSchema(CamelSchema):
    """What came back for a test event. `ok`: it was a 2xx."""

    ok = ma.fields.Boolean(required=True)
    status = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, allow_none=True)
    duration_ms = ma.fields.Integer(required=True)


class ReplaySchema(CamelSchema):
    """Which deliveries to make again, and where to go on. `since` is included, `until` is not.

    Without `state`: what is dead or skipped, and events that were foreign when they came and no longer are.
    """

    destination = ma.fields.String(validate=NAME)
    types = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(rf"\A(?:{TYPE_GLOB.pattern})\Z", TYPE_GLOB.flags)),
        validate=ma.validate.Length(min=1, max=MAX_GLOBS),
    )
    since = Timestamp()
    until = Timestamp()
    state = ma.fields.Enum(DeliveryState, by_value=True)
    cursor = ma.fields.String()

    @ma.validates_schema
    def refuse_an_end_before_the_beginning(self, given: dict[str, Any], **_: Any) -> None:
        """A span must hold some time."""
        if "since" in given and "until" in given and given["until"] <= given["since"]:
            raise ma.ValidationError("It must be later than since.", "until")

    @ma.post_load
    def select(self, given: dict[str, Any], **_: Any) -> tuple[Selection, str | None]:
        """The selection, and the cursor if there is one."""
        cursor = given.pop("cursor", None)
        return Selection(**given), cursor


class ReplayStepSchema(CamelSchema):
    """One bounded step: deliveries put in line, events looked at, and events left to look at, at most."""

    replayed = ma.fields.Integer(required=True)
    seen = ma.fields.Integer(required=True)
    left = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
