"""Statuses of sent messages, calls, and errors that belong to no message."""

from app.web.examples.changes import AT, CONTACT, PHONE, Changes, call, change, status

_PRICING = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
_FAILED = {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "More than 24 hours"}}
_RINGING = {"id": "wacid.ours", "type": "call", "status": "RINGING", "timestamp": AT, "recipient_id": PHONE}

STATUSES: Changes = {
    "message.status.sent": status("sent", pricing=_PRICING, biz_opaque_callback_data="order 17"),
    "message.status.delivered": status("delivered", pricing=_PRICING, biz_opaque_callback_data="order 17"),
    "message.status.read": status("read", biz_opaque_callback_data="order 17"),
    "message.status.played": status("played"),
    "message.status.failed": status("failed", errors=[_FAILED], biz_opaque_callback_data="order 17"),
    "error": change("messages", errors=[{"code": 130429, "title": "Rate limit hit", "message": "Rate limit hit"}]),
    "call.connect": call("connect", session={"sdp_type": "offer", "sdp": "v=0"}),
    "call.terminate": call("terminate", status="COMPLETED", start_time=AT, end_time=AT, duration=42),
    "call.status.ringing": change("calls", contacts=[CONTACT], statuses=[_RINGING]),
    "automatic.event": change(
        "automatic_events",
        automatic_events=[
            {"id": "wamid.text", "event_name": "LeadSubmitted", "timestamp": AT, "ctwa_clid": "Aff-n8"}
        ],
    ),
    "tracking.event": change("tracking_events", tracking_events=[{"event_type": "click", "timestamp": AT}]),
}
