"""Receipts in the API: list them, send their exact bytes, reprocess one that could not be read."""

from typing import Any

import marshmallow as ma
from flask import Response, request

from app.domain.dismissal import Period
from app.domain.receipt import RECEIPT_ID, Receipt, ReceiptState
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.openapi_operations import refuses
from app.web.paging import PAGE_PARAMETERS, page, page_request
from app.web.query_parameters import accepts_query
from app.web.schemas import CamelSchema, Timestamp, page_of
from app.web.steps import StepRequest, StepRequestSchema, step_cursor

bp = JsonBlueprint("receipts", __name__, description="What Meta sent, byte for byte.")

STATES = [state.value for state in ReceiptState]
STATE_PARAMETER = {"in": "query", "name": "state", "schema": {"type": "string", "enum": STATES}}

STEP_RECEIPTS = 500


class ReceiptSchema(CamelSchema):
    """One webhook POST from Meta. `size` is in bytes; `duplicates`: how often the same bytes came again.

    `erased`: its bytes were erased with a contact, so that it cannot be reprocessed.

    `differing`: how many of its events were known already, with another item. The known events stay as they are.
    """

    id = ma.fields.String(required=True)
    received_at = Timestamp(required=True)
    size = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)
    state = ma.fields.Enum(ReceiptState, by_value=True, required=True)
    events = ma.fields.Integer(required=True)
    duplicates = ma.fields.Integer(required=True)
    differing = ma.fields.Integer(required=True)
    erased = ma.fields.Boolean(required=True)
    signed_with = ma.fields.String(required=True, validate=ma.validate.OneOf(["current", "previous"]))


class OneReceiptSchema(ReceiptSchema):
    """One webhook POST from Meta. `error`: why it is unreadable."""

    error = ma.fields.String(required=True, allow_none=True)


class DismissSchema(StepRequestSchema):
    """Which unreadable receipts to dismiss. `since` is included, `until` is not. `dryRun`: only count them."""

    choose = Period


class DismissStepSchema(CamelSchema):
    """One bounded step: how many receipts were dismissed."""

    dismissed = ma.fields.Integer(required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@bp.get("/receipts")
@guarded_by(bearer("read"))
@accepts_query(bp, STATE_PARAMETER, *PAGE_PARAMETERS)
@bp.response(200, page_of(ReceiptSchema))
def list_receipts() -> dict[str, Any]:
    """List receipts, newest first."""
    requested = page_request(RECEIPT_ID)
    receipts = gateway().store.receipts.page(state=_state(), before=requested.after, limit=requested.limit)
    return page(receipts, requested)


@bp.get("/receipts/<receipt_id>")
@guarded_by(bearer("read"))
@bp.response(200, OneReceiptSchema)
def show_receipt(receipt_id: str) -> dict[str, Any]:
    """Show one receipt; an unreadable one with the reason."""
    receipts = gateway().store.receipts
    receipt = _existing(receipts.get(receipt_id), receipt_id)
    unreadable = receipt.state in (ReceiptState.UNREADABLE, ReceiptState.DISMISSED)
    return {**vars(receipt), "error": receipts.reason(receipt_id) if unreadable else None}


@bp.get("/receipts/<receipt_id>/body")
@guarded_by(bearer("read"))
@bp.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def send_receipt_body(receipt_id: str) -> Response:
    """Send the exact bytes that Meta sent."""
    body = gateway().store.receipts.body(receipt_id)
    if body is None:
        raise no_such("body of the receipt", receipt_id)
    return Response(body, mimetype="application/octet-stream", headers={"Content-Disposition": "attachment"})


@bp.post("/receipts/<receipt_id>/reprocess")
@guarded_by(bearer("operate"))
@refuses("erased")
@bp.response(202, ReceiptSchema)
def reprocess_receipt(receipt_id: str) -> Receipt:
    """Put a receipt back into the queue, to be split again."""
    receipt = _existing(gateway().store.receipts.reprocess(receipt_id), receipt_id)
    if receipt.erased:
        raise ApiError("erased", "The bytes of this receipt were erased with a contact: there is nothing to split.")
    return receipt


@bp.post("/receipts/<receipt_id>/dismiss")
@guarded_by(bearer("operate"))
@refuses("not_unreadable")
@bp.response(200, ReceiptSchema)
def dismiss_receipt(receipt_id: str) -> Receipt:
    """Dismiss an unreadable receipt: it raises no alert any more, and stays listed as `dismissed`."""
    receipt = _existing(gateway().store.receipts.dismiss(receipt_id), receipt_id)
    if receipt.state is not ReceiptState.DISMISSED:
        raise ApiError("not_unreadable", f"The receipt is {receipt.state.value}: there is nothing to dismiss.")
    return receipt


@bp.post("/receipts/dismiss")
@guarded_by(bearer("operate"))
@refuses("invalid_cursor")
@bp.arguments(DismissSchema)
@bp.response(200, DismissStepSchema)
def dismiss_receipts(body: StepRequest[Period]) -> dict[str, Any]:
    """Dismiss one step of the unreadable receipts of a time, or count them. Continue until `nextCursor` is null."""
    step = gateway().store.receipts.dismiss_some(
        body.chosen, after=body.after, limit=STEP_RECEIPTS, is_trial=body.is_trial
    )
    return {"dismissed": step.count, "next_cursor": step_cursor(step.next)}


def _existing(receipt: Receipt | None, receipt_id: str) -> Receipt:
    if receipt is None:
        raise no_such("receipt", receipt_id)
    return receipt


def _state() -> ReceiptState | None:
    state = request.args.get("state")
    if state is None:
        return None
    if state not in STATES:
        raise ApiError("invalid_parameter", f"state must be one of {', '.join(STATES)}.")
    return ReceiptState(state)
