"""Messages from customers, statuses of messages, payments and calls, and errors without a message."""

from typing import Any

from app.web.examples.changes import (
    AT,
    BUSINESS,
    CONTACT,
    PHONE,
    USER_ID,
    Change,
    Changes,
    call,
    change,
    message,
    reply,
    status,
)

_MEDIA = {
    "id": "1003383421387256",
    "mime_type": "image/jpeg",
    "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
}
_SHARED_CONTACT = {
    "name": {"formatted_name": "Lucía Gómez", "first_name": "Lucía"},
    "phones": [{"phone": "+34600111222"}],
}
_ERROR_OF_UNSUPPORTED = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}
_ORDERED_ITEM = {"product_retailer_id": "tulip", "quantity": 2, "item_price": 4.5, "currency": "EUR"}

MESSAGES: Changes = {
    "message.text": message("text", {"body": "hi"}),
    "message.image": message("image", {**_MEDIA, "caption": "Taj Mahal"}, context={"forwarded": True}),
    "message.video": message("video", {**_MEDIA, "mime_type": "video/mp4"}),
    "message.audio": message("audio", {**_MEDIA, "mime_type": "audio/ogg; codecs=opus", "voice": True}),
    "message.document": message("document", {**_MEDIA, "mime_type": "application/pdf", "filename": "receipt.pdf"}),
    "message.sticker": message("sticker", {**_MEDIA, "mime_type": "image/webp", "animated": False}),
    "message.location": message("location", {"latitude": 52.52, "longitude": 13.405, "name": "Berlin"}),
    "message.contacts": message("contacts", [_SHARED_CONTACT]),
    "message.reaction": message("reaction", {"message_id": "wamid.sent", "emoji": "👍"}),
    "message.button": message(
        "button", {"payload": "stop", "text": "Stop"}, context={"from": BUSINESS, "id": "wamid.sent"}
    ),
    "message.interactive.button_reply": reply("button_reply", {"id": "yes", "title": "Yes"}),
    "message.interactive.list_reply": reply("list_reply", {"id": "s", "title": "Small", "description": "20 cm"}),
    "message.interactive.nfm_reply": reply(
        "nfm_reply", {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t","size":"s"}'}
    ),
    "message.interactive.call_permission_reply": reply(
        "call_permission_reply",
        {"response": "accept", "is_permanent": False, "expiration_timestamp": AT, "response_source": "user_action"},
    ),
    "message.order": message("order", {"catalog_id": "194836987003835", "product_items": [_ORDERED_ITEM]}),
    "message.request_welcome": message("request_welcome", {}),
    "message.edit": message(
        "edit", {"original_message_id": "wamid.text", "message": {"type": "text", "text": {"body": "hello"}}}
    ),
    "message.revoke": message("revoke", {"original_message_id": "wamid.text"}),
    "message.ephemeral": message("ephemeral", {"type": "text"}),
    "message.unsupported": message("unsupported", {"type": "poll"}, errors=[_ERROR_OF_UNSUPPORTED]),
    "message.system": message("system", {"type": "group_notice", "body": f"{PHONE} joined"}),
}

_PRICING = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
_ERROR_OF_FAILED = {
    "code": 131047,
    "title": "Re-engagement message",
    "message": "Re-engagement message",
    "error_data": {"details": "More than 24 hours"},
}
_RINGING_STATUS = {
    "id": "wacid.ours",
    "type": "call",
    "status": "RINGING",
    "timestamp": AT,
    "recipient_id": PHONE,
    "recipient_user_id": USER_ID,
}

_AMOUNT = {"value": 45000, "offset": 100}


def _payment(state: str, transaction_state: str, **more: Any) -> Change:
    transaction = {"id": "order_1", "type": "razorpay", "status": transaction_state, "updated_timestamp": int(AT)}
    payment = {
        "reference_id": "order 17",
        "amount": _AMOUNT,
        "currency": "INR",
        "transaction": {**transaction, **more},
    }
    return status(state, type="payment", payment=payment)


_REFUND = {"id": "rfnd_1", "status": "completed", "amount": _AMOUNT}

STATUSES: Changes = {
    "message.status.sent": status("sent", pricing=_PRICING, biz_opaque_callback_data="order 17"),
    "message.status.delivered": status("delivered", pricing=_PRICING, biz_opaque_callback_data="order 17"),
    "message.status.read": status("read", biz_opaque_callback_data="order 17"),
    "message.status.played": status("played"),
    "message.status.failed": status("failed", errors=[_ERROR_OF_FAILED], biz_opaque_callback_data="order 17"),
    "payment.pending": _payment("pending", "failed"),
    "payment.captured": _payment("captured", "success", refunds=[_REFUND]),
    "error": change("messages", errors=[{"code": 130429, "title": "Rate limit hit", "message": "Rate limit hit"}]),
    "call.connect": call("connect", session={"sdp_type": "offer", "sdp": "v=0"}),
    "call.terminate": call("terminate", status="COMPLETED", start_time=AT, end_time=AT, duration=42),
    "call.status.ringing": change("calls", contacts=[CONTACT], statuses=[_RINGING_STATUS]),
    "automatic.event": change(
        "automatic_events",
        automatic_events=[
            {"id": "wamid.text", "event_name": "LeadSubmitted", "timestamp": AT, "ctwa_clid": "Aff-n8"}
        ],
    ),
    "tracking.event": change("tracking_events", tracking_events=[{"event_type": "click", "timestamp": AT}]),
}
