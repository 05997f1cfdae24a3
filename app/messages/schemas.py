"""The form of messages on the wire. A message to send is Meta's own object; its fields are in docs/messages.md."""

from typing import Any

import marshmallow as ma

from app.domain.event import Event
from app.domain.message import Message, MessageStatus
from app.domain.meta.event_types import MESSAGE_PREFIX
from app.domain.timestamps import iso
from app.web.schemas import CamelSchema, ContactSchema, ErrorBody, Timestamp

MAX_BATCH = 1000
DIRECTIONS = ("outbound", "inbound")
RECEIVED = "received"
"""The status of every message of a customer."""

STATUSES = (*(status.value for status in MessageStatus), RECEIVED)


def any_json(description: str, **schema: Any) -> ma.fields.Raw:
    """Return a field that is checked later, with a pointer and a hint for each mistake in it."""
    return ma.fields.Raw(metadata={"description": description, **schema})


class _AsWritten(ma.Schema):
    """Describes a body only, which `domain.meta.payloads` checks. marshmallow would put unknown keys in any order."""

    def load(self, data: Any, **_: Any) -> Any:
        """Return the body as the client wrote it."""
        return data


class MessageRequestSchema(_AsWritten):
    """Meta's message object: `type`, and the object that it names. `from` chooses one of several numbers."""

    class Meta:
        unknown = ma.INCLUDE

    to = any_json("A phone number with its country code, or a group id.", type="string")
    recipient = any_json("A user id, where the phone number is not known.", type="string")
    type = any_json("The kind of message, such as `text` or `template`.", type="string")


class TextRequestSchema(_AsWritten, CamelSchema):
    """A text message in its short form."""

    to = any_json("A phone number with its country code.", type="string")
    text = any_json("The text, up to 4096 characters.", type="string")
    preview_url = any_json("Whether the first link is shown with a preview.", type="boolean")
    sender = ma.fields.String(data_key="from", metadata={"description": "The phone number id that sends it."})


class CheckedLater(ma.fields.Nested):
    """A nested object that its schema describes only: it is checked later, and by itself."""

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return the value as the client wrote it."""
        return value


class BatchItemSchema(CamelSchema):
    """One message of a batch, with an idempotency key of its own."""

    message = ma.fields.Nested(MessageRequestSchema, required=True)
    idempotency_key = ma.fields.String(validate=ma.validate.Regexp(r"\A[!-~]{1,255}\Z"))


class BatchRequestSchema(ma.Schema):
    """Messages that are accepted in one transaction; each is accepted or refused by itself.

    The body has at most 4 MiB.
    """

    max_body_bytes = 4 * 1024 * 1024
    cure_if_too_large = "divide the messages among several batches"

    messages = ma.fields.List(
        CheckedLater(BatchItemSchema), required=True, validate=ma.validate.Length(min=1, max=MAX_BATCH)
    )


class ReadRequestSchema(ma.Schema):
    """How to mark a customer's message as read. `typing`: also show the customer that an answer is being written."""

    typing = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ReadSchema(ma.Schema):
    """Meta has marked the message as read."""

    read = ma.fields.Boolean(required=True)


class HistoryEntrySchema(CamelSchema):
    """A status, and since when: by Meta's clock if Meta reported it."""

    status = ma.fields.String(required=True)
    at = Timestamp(required=True)


class HoldSchema(CamelSchema):
    """The hold on a queued message: a paused scope, or the queue of a number from which Meta is not reached."""

    scope = ma.fields.String(required=True)
    reason = ma.fields.String(required=True, metadata={"description": "What Meta said, and the cure."})
    since = Timestamp(required=True, allow_none=True)
    until = Timestamp(required=True, allow_none=True, metadata={"description": "Null: until a human resumes it."})


class MessageSchema(CamelSchema):
    """A message and how far it has come. Meta's own objects (`error`, `pricing`) are unchanged.

    A customer's message is an event: `id` is the event's, `contact` and `data` are as there.
    """

    id = ma.fields.String(required=True)
    wamid = ma.fields.String(allow_none=True, required=True)
    second_wamid = ma.fields.String(metadata={"description": "Meta has accepted the message twice."})
    direction = ma.fields.String(required=True, validate=ma.validate.OneOf(DIRECTIONS))
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    meta_status = ma.fields.String()
    type = ma.fields.String(required=True)
    to = ma.fields.String()
    recipient = ma.fields.String()
    contact = ma.fields.Nested(ContactSchema, metadata={"description": "The customer that wrote it."})
    data = ma.fields.Dict(metadata={"description": "What was read out of a customer's message."})
    phone_number_id = ma.fields.String(required=True, allow_none=True)
    tracker = ma.fields.String()
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    expires_at = Timestamp()
    error = ma.fields.Dict()
    pricing = ma.fields.Dict()
    history = ma.fields.List(ma.fields.Nested(HistoryEntrySchema), required=True)
    held_by = ma.fields.Nested(
        HoldSchema, metadata={"description": "In lists and when one is shown: why it is still queued."}
    )
    warnings = ma.fields.List(ma.fields.String())


class BatchResultSchema(ma.Schema):
    """The result of one message of a batch. `status` is the one that a request of its own would have had.

    The pointers in `error.details.fields` begin at the item: `/message/text/body`, `/idempotencyKey`.
    """

    status = ma.fields.Integer(required=True)
    replayed = ma.fields.Boolean()
    message = ma.fields.Nested(MessageSchema)
    error = ma.fields.Nested(ErrorBody)


class BatchResponseSchema(ma.Schema):
    """The results, in the order of the messages."""

    results = ma.fields.List(ma.fields.Nested(BatchResultSchema), required=True)


def message_json(message: Message, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a message as the schema takes it, without what is not known."""
    optional = ("second_wamid", "meta_status", "to", "recipient", "tracker", "error", "pricing")
    known = {name: value for name in optional if (value := getattr(message, name)) is not None}
    fixed = ("id", "wamid", "status", "type", "phone_number_id", "created_at", "updated_at", "expires_at", "history")
    extra = {"warnings": list(warnings)} if warnings else {}
    return {**{name: getattr(message, name) for name in fixed}, "direction": "outbound", **known, **extra}


def written_message(message: Message, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a message as its schema writes it; a test compares them.

    The schema takes ten times as long, which was a third of the time of accepting a message in a batch.
    """
    parts = {
        "id": message.id,
        "wamid": message.wamid,
        "secondWamid": message.second_wamid,
        "direction": "outbound",
        "status": message.status,
        "metaStatus": message.meta_status,
        "type": message.type,
        "to": message.to,
        "recipient": message.recipient,
        "phoneNumberId": message.phone_number_id,
        "tracker": message.tracker,
        "createdAt": iso(message.created_at),
        "updatedAt": iso(message.updated_at),
        "expiresAt": iso(message.expires_at),
        "error": message.error,
        "pricing": message.pricing,
        "history": [{"status": entry.status, "at": iso(entry.at)} for entry in message.history],
        "warnings": warnings or None,
    }
    return {name: part for name, part in parts.items() if part is not None or name == "wamid"}


def received_json(event: Event) -> dict[str, Any]:
    """Return a customer's message as the schema takes it. Its status is since Meta's time."""
    wamid = event.raw.get("id") if isinstance(event.raw, dict) else None
    return {
        "id": event.id,
        "wamid": None if wamid is None else str(wamid),
        "direction": "inbound",
        "status": RECEIVED,
        "type": event.type.removeprefix(MESSAGE_PREFIX),
        "contact": {name: value for name, value in vars(event.contact).items() if value is not None},
        "data": event.data,
        "phone_number_id": event.phone_number_id,
        "created_at": event.received_at,
        "updated_at": event.received_at,
        "history": [{"status": RECEIVED, "at": event.occurred_at}],
    }
