"""The users that a number has blocked."""

from collections.abc import Callable

from app.graph.fake.check_message import digits_of
from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID, page_of
from app.graph.fake.values import of_objects, of_text
from app.graph.fake.wire import Answer, Call, json_answer


def list_blocked(meta: Meta, _: Call, number_id: str) -> Answer:
    """Return the users that a number has blocked."""
    meta.number(number_id)
    keys = [key for key, blocked in meta.state.items("blocked") if blocked["number"] == number_id]
    users = [{"messaging_product": "whatsapp", "wa_id": key.partition(":")[2]} for key in keys]
    return json_answer(page_of(users))


def block(meta: Meta, call: Call, number_id: str) -> Answer:
    """Block users (POST), or unblock them (DELETE)."""
    meta.number(number_id)
    users = [
        of_text(user, "user", path, 200) for path, user in of_objects(fields_of(call), "block_users", "", 1, 1000)
    ]
    for user in users:
        if call.method == "POST":
            meta.state.put("blocked", f"{number_id}:{digits_of(user) or user}", {"number": number_id})
        else:
            meta.state.delete("blocked", f"{number_id}:{digits_of(user) or user}")
    changed = [{"input": user, "wa_id": digits_of(user) or user} for user in users]
    name = "added_users" if call.method == "POST" else "removed_users"
    return json_answer({"messaging_product": "whatsapp", "block_users": {name: changed}})


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{ID}/block_users", list_blocked),
    ("POST", rf"{ID}/block_users", block),
    ("DELETE", rf"{ID}/block_users", block),
]
