"""The shapes of the health routes' answers, for the OpenAPI document. What they hold is made elsewhere."""

import marshmallow as ma

from app.domain.destination import DestinationState
from app.web.schemas import CamelSchema, Timestamp


class LivenessSchema(CamelSchema):
    """Alive."""

    ok = ma.fields.Boolean(required=True)
    service = ma.fields.String(required=True)


class ChecksSchema(CamelSchema):
    """Each check: `ok`, or what is wrong."""

    database = ma.fields.String(required=True)
    schema = ma.fields.String(required=True)
    disk = ma.fields.String(required=True)
    draining = ma.fields.String(required=True)


class ReadinessSchema(LivenessSchema):
    """Ready or not, and why."""

    checks = ma.fields.Nested(ChecksSchema, required=True)


class DatabaseSchema(CamelSchema):
    """The database's kind, the version of its schema and the one that this code brings along."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["sqlite", "postgresql"]))
    schema = ma.fields.String(required=True, allow_none=True)
    head = ma.fields.String(required=True)
    compatible = ma.fields.Boolean(required=True)


class ReceiptsStatusSchema(CamelSchema):
    """How many receipts stand where. `total` is an upper bound: ids given away."""

    total = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    unreadable = ma.fields.Integer(required=True)
    oldest_pending_seconds = ma.fields.Float(required=True, allow_none=True)
    last_received_at = Timestamp(required=True, allow_none=True)


class EventsStatusSchema(CamelSchema):
    """How many events there are. `total` is an upper bound; `foreign` came for numbers that were not ours."""

    total = ma.fields.Integer(required=True)
    foreign = ma.fields.Integer(required=True)


class QueueSchema(CamelSchema):
    """Open work in one queue; `oldestSeconds`: for how long the first of it could have been done."""

    queue = ma.fields.String(required=True)
    waiting = ma.fields.Integer(required=True)
    in_flight = ma.fields.Integer(required=True)
    oldest_seconds = ma.fields.Float(required=True, allow_none=True)


class DestinationStatusSchema(CamelSchema):
    """How a destination stands."""

    name = ma.fields.String(required=True)
    state = ma.fields.Enum(DestinationState, by_value=True, required=True)
    waiting = ma.fields.Integer(required=True)
    dead = ma.fields.Integer(required=True)
    last_success_at = Timestamp(required=True, allow_none=True)
    last_error_at = Timestamp(required=True, allow_none=True)
    last_error = ma.fields.String(required=True, allow_none=True)


class WorkerSchema(CamelSchema):
    """A worker process; `fresh`: its last sign of life is not too old."""

    process = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    started_at = Timestamp(required=True)
    last_beat_at = Timestamp(required=True)
    fresh = ma.fields.Boolean(required=True)


class ConcernSchema(CamelSchema):
    """Something that needs a human: a stable code, and what it is."""

    code = ma.fields.String(required=True)
    message = ma.fields.String(required=True)


class StatusSchema(CamelSchema):
    """What stands in the store and who works on it."""

    service = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    mode = ma.fields.String(required=True, validate=ma.validate.OneOf(["dry-run", "live"]))
    profile = ma.fields.String(required=True)
    database = ma.fields.Nested(DatabaseSchema, required=True)
    receipts = ma.fields.Nested(ReceiptsStatusSchema, required=True)
    events = ma.fields.Nested(EventsStatusSchema, required=True)
    queues = ma.fields.List(ma.fields.Nested(QueueSchema), required=True)
    destinations = ma.fields.List(ma.fields.Nested(DestinationStatusSchema), required=True)
    dead_letters = ma.fields.Integer(required=True)
    workers = ma.fields.List(ma.fields.Nested(WorkerSchema), required=True)
    attention = ma.fields.List(ma.fields.Nested(ConcernSchema), required=True)


class DiagnosticsSchema(CamelSchema):
    """What a process is made of; for people, so that its inner shapes may change with any release."""

    service = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    process = ma.fields.Dict(required=True)
    runtime = ma.fields.Dict(required=True)
    store = ma.fields.Dict(required=True)
    queues = ma.fields.List(ma.fields.Dict(), required=True)
    settings = ma.fields.Dict(required=True)
