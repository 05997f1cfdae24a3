"""The form of the health routes' answers, on the wire and in the OpenAPI document."""

import marshmallow as ma

from app.web.schemas import CamelSchema, DestinationSchema, Timestamp


class LivenessSchema(CamelSchema):
    """The process answers."""

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
    """The kind of database, its schema's version (null: none yet), and `head`, the version that this code brings."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["sqlite", "postgresql"]))
    schema = ma.fields.String(required=True, allow_none=True, attribute="version")
    head = ma.fields.String(required=True)
    compatible = ma.fields.Boolean(required=True)


class ReceiptsStatusSchema(CamelSchema):
    """Receipts by state. `total` is an upper bound: the ids given out so far."""

    total = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    unreadable = ma.fields.Integer(required=True)
    oldest_pending_seconds = ma.fields.Float(required=True, allow_none=True)
    last_received_at = Timestamp(required=True, allow_none=True)


class EventsStatusSchema(CamelSchema):
    """Stored events. `total` is an upper bound; `foreign`: of accounts or numbers that were not in the profile."""

    total = ma.fields.Integer(required=True)
    foreign = ma.fields.Integer(required=True)


class QueueSchema(CamelSchema):
    """Open jobs of one queue. `oldestSeconds`: for how long the first of them has been due."""

    queue = ma.fields.String(required=True)
    waiting = ma.fields.Integer(required=True)
    in_flight = ma.fields.Integer(required=True)
    oldest_seconds = ma.fields.Float(required=True, allow_none=True)


class DestinationStatusSchema(DestinationSchema):
    """The state of a destination, without its settings."""

    class Meta:
        exclude = ("url", "format")


class WorkerSchema(CamelSchema):
    """A worker process. `fresh`: its last heartbeat is recent enough."""

    process = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    started_at = Timestamp(required=True)
    last_beat_at = Timestamp(required=True, attribute="at")
    fresh = ma.fields.Boolean(required=True)


class AlertSchema(CamelSchema):
    """A condition that needs a human. `code` and `subject` (what it is about) are stable.

    `message` is cause and cure together. `since`: when it began; null within the first seconds.
    """

    code = ma.fields.String(required=True)
    subject = ma.fields.String(required=True)
    message = ma.fields.String(required=True)
    cause = ma.fields.String(required=True)
    cure = ma.fields.String(required=True)
    since = Timestamp(required=True, allow_none=True)


class StatusSchema(CamelSchema):
    """The contents of the store, the work that waits, the workers that are alive, and the alerts."""

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
    attention = ma.fields.List(ma.fields.Nested(AlertSchema), required=True)


class DiagnosticsSchema(CamelSchema):
    """The inside of the process that answers. For people: its fields may change with any release."""

    service = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    process = ma.fields.Dict(required=True)
    runtime = ma.fields.Dict(required=True)
    store = ma.fields.Dict(required=True)
    queues = ma.fields.List(ma.fields.Dict(), required=True)
    settings = ma.fields.Dict(required=True)
