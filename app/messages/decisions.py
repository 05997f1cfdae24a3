"""The API of what people decide about messages: one that is queued or unknown, or all that a selection chooses."""

from datetime import timedelta
from typing import Any

import marshmallow as ma

from app.domain.decision import Decision, MessageSelection
from app.domain.message import MessageStatus
from app.domain.meta.message_history import statuses_of_history
from app.messages.ask_meta import history_request
from app.messages.lists import existing_message
from app.messages.meta_call import call_meta
from app.messages.schemas import MessageSchema, message_json
from app.web.contact_name import contact_name
from app.web.current import gateway
from app.web.errors import ApiError
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.openapi_operations import refuses
from app.web.schemas import CamelSchema, Timestamp
from app.web.steps import StepRequest, StepRequestSchema, step_cursor

bp = JsonBlueprint("decisions", __name__, description="What people decide about messages.")

STEP_MESSAGES = 500
OF_ONE = [Decision.FAILED.value, Decision.RESEND.value]


class ResolveSchema(ma.Schema):
    """The decision about an unknown message: failed, or sent again. `force`: also while its status may still come."""

    decision = ma.fields.String(required=True, data_key="as", validate=ma.validate.OneOf(OF_ONE))
    force = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ResolveSelectionSchema(StepRequestSchema):
    """The decision about all chosen messages: unknown ones `failed` or `resend`, queued ones `cancelled` or
    `unknown`.

    `since` is included, `until` is not. `dryRun`: only count them.
    """

    choose = dict

    decision = ma.fields.Enum(Decision, by_value=True, required=True, data_key="as")
    contact = ma.fields.String(metadata={"description": "A phone number or a user id."})
    phone_number_id = ma.fields.String(metadata={"description": "One of our numbers."})
    since = Timestamp(metadata={"description": "Accepted at this time or later."})
    until = Timestamp(metadata={"description": "Accepted before this time."})
    force = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ResolveStepSchema(CamelSchema):
    """One bounded step: how many messages were chosen, how many changed, and how many are too young to be sent again.

    One that a worker has claimed meanwhile is not changed.
    """

    matched = ma.fields.Integer(required=True)
    changed = ma.fields.Integer(required=True)
    young = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@bp.post("/messages/<path:message_id>/cancel")
@guarded_by(bearer("send"))
@refuses("not_queued")
@bp.response(200, MessageSchema)
def cancel_message(message_id: str) -> dict[str, Any]:
    """Cancel a message that is queued. One that is being sent, or was, is refused."""
    message = gateway().store.messages.cancel(existing_message(message_id))
    if message.status != MessageStatus.CANCELLED:
        is_claimed = message.status is MessageStatus.QUEUED
        state = "being sent: a worker has claimed it" if is_claimed else message.status
        raise ApiError("not_queued", f"Only a message that waits to be sent can be cancelled; this one is {state}.")
    return message_json(message)


@bp.post("/messages/<path:message_id>/resolve")
@guarded_by(bearer("operate"))
@refuses("not_unknown", "too_young")
@bp.arguments(ResolveSchema)
@bp.response(200, MessageSchema)
def resolve_message(body: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Decide about an unknown message: it failed, or it is sent again, under a new tracker.

    It may have reached the customer. Sending it again is refused while its status may still come, unless forced.
    """
    messages, message = gateway().store.messages, existing_message(message_id)
    if message.status != MessageStatus.UNKNOWN:
        raise ApiError("not_unknown", f"Only an unknown message is resolved; this one is {message.status}.")
    if body["decision"] == Decision.FAILED:
        return message_json(messages.resolve_as_failed(message))
    if not body["force"] and gateway().clock() - message.updated_at < _time_to_settle():
        minutes = gateway().settings.sending.unknown_alert_minutes
        advice = f"Its status may still come: wait until it is {minutes} minutes old, or force it."
        raise ApiError("too_young", advice)
    return message_json(messages.send_again(message, _lifetime()))


@bp.post("/messages/<path:message_id>/reconcile")
@guarded_by(bearer("operate"))
@refuses("no_wamid", "busy", "meta_refused", "meta_unavailable")
@bp.response(200, MessageSchema)
def reconcile_message(message_id: str) -> dict[str, Any]:
    """Ask Meta what became of a message whose statuses have not come, and record it. A status never goes back.

    Meta finds a message by its wamid only: one without, such as an unknown one, is refused.
    """
    message = existing_message(message_id)
    if message.wamid is None:
        advice = "Meta can only be asked about a message that it has given an id; this one has none."
        raise ApiError("no_wamid", f"{advice} If it is unknown, decide about it with resolve.")
    answer = call_meta(gateway(), history_request(message.wamid, message.phone_number_id))
    gateway().store.messages.learn(statuses_of_history(answer, message.wamid, message.phone_number_id))
    return message_json(existing_message(message.id))


@bp.post("/messages/resolve")
@guarded_by(bearer("operate"))
@refuses("invalid_cursor")
@bp.arguments(ResolveSelectionSchema)
@bp.response(200, ResolveStepSchema)
def resolve_messages(body: StepRequest[dict[str, Any]]) -> dict[str, Any]:
    """Decide about one step of all messages that a selection chooses. Continue with `nextCursor` until it is null.

    Unknown ones may have reached their customers. Young ones, whose status may still come, are not sent again unless
    forced.
    """
    step = gateway().store.messages.decide_some(
        _selection(body.chosen),
        body.chosen["decision"],
        after=body.after,
        limit=STEP_MESSAGES,
        is_trial=body.is_trial,
        lifetime=_lifetime(),
    )
    return {**vars(step), "next_cursor": step_cursor(step.next)}


def _selection(chosen: dict[str, Any]) -> MessageSelection:
    needs_age = chosen["decision"] is Decision.RESEND and not chosen["force"]
    contact = chosen.get("contact")
    return MessageSelection(
        contact=None if contact is None else contact_name(contact),
        phone_number_id=chosen.get("phone_number_id"),
        since=chosen.get("since"),
        until=chosen.get("until"),
        settled_before=gateway().clock() - _time_to_settle() if needs_age else None,
    )


def _lifetime() -> timedelta:
    """Return how long a message may wait to be sent."""
    return timedelta(hours=gateway().settings.sending.message_lifetime_hours)


def _time_to_settle() -> timedelta:
    """Return how long the status of an unknown message may still come."""
    return timedelta(minutes=gateway().settings.sending.unknown_alert_minutes)
