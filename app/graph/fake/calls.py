"""Calls: what a number does with them, and no sound."""

from collections.abc import Callable

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID
from app.graph.fake.values import of_choice
from app.graph.fake.wire import Answer, Call, json_answer


def make_call(meta: Meta, call: Call, number_id: str) -> Answer:
    """Take an action on a call; a new one gets an id."""
    meta.number(number_id)
    action = of_choice(fields_of(call), "action", "", {"connect", "pre_accept", "accept", "reject", "terminate"})
    made = {"calls": [{"id": "wacid." + meta.ids.opaque("call")}]} if action == "connect" else {}
    return json_answer({"messaging_product": "whatsapp", **made, "success": True})


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", rf"{ID}/calls", make_call),
]
