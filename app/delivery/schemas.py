"""The form of deliveries and replays on the wire."""

from typing import Any

import marshmallow as ma

from app.domain.delivery import DeliveryState
from app.domain.event import TYPE_GLOB
from app.domain.event_families import mistake_in
from app.domain.replay import Selection
from app.web.schemas import CamelSchema, Timestamp
from app.web.steps import StepRequestSchema

MAX_GLOBS = 100
NAME = ma.validate.Length(min=1, max=64)


def check_glob(glob: str) -> None:
    """Refuse a glob that can match no event."""
    if TYPE_GLOB.fullmatch(glob) and (mistake := mistake_in(glob)):
        raise ma.ValidationError(mistake)


class AttemptSchema(CamelSchema):
    """One POST: the status of the response, or the error if there was none.

    `answer`: the first KiB of the response's body if its status was not 2xx; null if there was no body.
    """

    at = Timestamp(required=True)
    status = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, allow_none=True)
    duration_ms = ma.fields.Integer(required=True)
    answer = ma.fields.String(required=True, allow_none=True)


class DeliverySchema(CamelSchema):
    """One event on its way to one destination, with its last attempts."""

    id = ma.fields.String(required=True)
    event_id = ma.fields.String(required=True)
    destination = ma.fields.String(required=True)
    state = ma.fields.Enum(DeliveryState, by_value=True, required=True)
    attempts = ma.fields.List(ma.fields.Nested(AttemptSchema), required=True)
    next_attempt_at = Timestamp(required=True, allow_none=True)


class TestEventResultSchema(CamelSchema):
    """The response to a test event. `ok`: its status was 2xx. `answer`: if it was not, the first KiB of its body."""

    ok = ma.fields.Boolean(required=True)
    status = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, allow_none=True)
    duration_ms = ma.fields.Integer(required=True)
    answer = ma.fields.String(required=True, allow_none=True)


def _check_known(state: DeliveryState) -> None:
    if not state.is_known:
        raise ma.ValidationError(f"Must be one of: {', '.join(DeliveryState)}.")


class ReplaySchema(StepRequestSchema):
    """Which deliveries to replay, and where to continue. `since` is included, `until` is not.

    `dryRun`: count them, and replay nothing.
    Without `state`: dead and skipped ones, and those of events that were foreign when they came and no longer are.
    `includeMissing`: also those that the `destination` would get today and has never got, because it was added later,
    or selected fewer types or numbers then.
    """

    choose = Selection

    destination = ma.fields.String(validate=NAME)
    types = ma.fields.List(
        ma.fields.String(validate=[ma.validate.Regexp(rf"\A(?:{TYPE_GLOB.pattern})\Z", TYPE_GLOB.flags), check_glob]),
        validate=ma.validate.Length(min=1, max=MAX_GLOBS),
    )
    state = ma.fields.Enum(DeliveryState, by_value=True, validate=_check_known)
    includes_missing = ma.fields.Boolean(data_key="includeMissing", load_default=False, truthy={True}, falsy={False})

    @ma.validates_schema
    def check_missing(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse `includeMissing` without a destination, or together with a state."""
        if data.get("includes_missing") and "destination" not in data:
            raise ma.ValidationError("includeMissing needs the destination.", "destination")
        if data.get("includes_missing") and "state" in data:
            raise ma.ValidationError("includeMissing allows no state: a missing delivery has none.", "state")


class ReplayStepSchema(CamelSchema):
    """One bounded step: deliveries replayed, events checked, and the largest possible number of events left."""

    replayed = ma.fields.Integer(required=True)
    seen = ma.fields.Integer(required=True)
    left = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class DiscardSchema(ReplaySchema):
    """Which dead letters to discard, and where to continue. `since` is included, `until` is not.

    `dryRun`: count them, and discard nothing.
    """

    class Meta:
        exclude = ("state", "includes_missing")


class DiscardStepSchema(CamelSchema):
    """One bounded step: dead letters discarded, and the largest possible number of events left."""

    discarded = ma.fields.Integer(required=True)
    left = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
