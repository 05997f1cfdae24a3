"""The history of a message, which some numbers have."""

from collections.abc import Callable
from typing import Any

from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID, page_of
from app.graph.fake.refusals import refuse
from app.graph.fake.wire import Answer, Call, json_answer

DELIVERY = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "played": "PLAYED", "failed": "FAILED"}


def get_history(meta: Meta, call: Call, number_id: str) -> Answer:
    """Return the history of a message by its wamid. Meta leaves out its recipient and its tracker."""
    meta.number(number_id)
    if not meta.switches.has_history:
        raise refuse("not_eligible")
    wamid = call.query.get("message_id", "")
    message = meta.state.get("message", wamid)
    if message is None or message["number"] != number_id:
        return json_answer({"data": []})
    events = [_event(meta, name, at) for name, at in message["events"] if at <= meta.clock.now()]
    return json_answer(page_of([{"id": meta.ids.digits("history"), "message_id": wamid, "events": {"data": events}}]))


def _event(meta: Meta, name: str, at: float) -> dict[str, Any]:
    return {
        "id": meta.ids.digits("history"),
        "delivery_status": DELIVERY[name],
        "timestamp": int(at),
        "webhook_update_state": "DELIVERED",
    }


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{ID}/message_history", get_history),
]
