"""What a number has beside its messages: profile, blocked users, histories, groups, calls, settings."""

from collections.abc import Callable
from typing import Any

from app.graph.fake.check_message import digits_of
from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import page_of
from app.graph.fake.people import PARTICIPANTS
from app.graph.fake.refusals import refuse
from app.graph.fake.values import of_choice, of_objects, of_text
from app.graph.fake.wire import Answer, Call, json_answer

PROFILE = {"about": "A business", "vertical": "OTHER", "messaging_product": "whatsapp"}
DELIVERY = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "played": "PLAYED", "failed": "FAILED"}


def get_profile(meta: Meta, call: Call, number_id: str) -> Answer:
    """Return the profile of a number."""
    meta.number(number_id)
    profile = meta.state.get("profile", number_id) or PROFILE
    asked = call.query.get("fields")
    names = {*asked.split(","), "messaging_product"} if asked else set(profile)
    return json_answer({"data": [{name: profile[name] for name in profile if name in names}]})


def change_profile(meta: Meta, call: Call, number_id: str) -> Answer:
    """Change the profile of a number."""
    meta.number(number_id)
    meta.state.put("profile", number_id, {**(meta.state.get("profile", number_id) or PROFILE), **fields_of(call)})
    return json_answer({"success": True})


def block(meta: Meta, call: Call, number_id: str) -> Answer:
    """Block users, or unblock them."""
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


def list_blocked(meta: Meta, _: Call, number_id: str) -> Answer:
    """Return the users that a number has blocked."""
    meta.number(number_id)
    keys = [key for key, blocked in meta.state.items("blocked") if blocked["number"] == number_id]
    users = [{"messaging_product": "whatsapp", "wa_id": key.partition(":")[2]} for key in keys]
    return json_answer(page_of(users))


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


def make_group(meta: Meta, call: Call, number_id: str) -> Answer:
    """Make a group, with the test numbers 0000 and 0001 in it once they have joined."""
    meta.number(number_id)
    of_text(fields_of(call), "subject", "", 128)
    group = meta.ids.opaque("group")
    meta.state.put("group", group, {"participants": PARTICIPANTS})
    return json_answer({"request_id": group[:16], "id": group})


def list_groups(meta: Meta, _: Call, number_id: str) -> Answer:
    """Return the groups of a number."""
    meta.number(number_id)
    groups = [{"id": group} for group, _ in meta.state.items("group")]
    return json_answer({"data": {"groups": groups}})


def make_call(meta: Meta, call: Call, number_id: str) -> Answer:
    """Take an action on a call; a new one gets an id."""
    meta.number(number_id)
    action = of_choice(fields_of(call), "action", "", {"connect", "pre_accept", "accept", "reject", "terminate"})
    made = {"calls": [{"id": "wacid." + meta.ids.opaque("call")}]} if action == "connect" else {}
    return json_answer({"messaging_product": "whatsapp", **made, "success": True})


def make_flow(meta: Meta, call: Call, waba: str) -> Answer:
    """Make a flow."""
    if not meta.accounts.numbers_of(waba):
        raise refuse("unknown_object", id=waba)
    of_text(fields_of(call), "name", "", 200)
    return json_answer({"id": meta.ids.digits("flow"), "success": True, "validation_errors": []})


def get_settings(meta: Meta, _: Call, number_id: str) -> Answer:
    """Return the settings of a number."""
    meta.number(number_id)
    return json_answer({"calling": {"status": "DISABLED"}, "storage_configuration": {"status": "DEFAULT"}})


def _event(meta: Meta, name: str, at: float) -> dict[str, Any]:
    return {
        "id": meta.ids.digits("history"),
        "delivery_status": DELIVERY[name],
        "timestamp": int(at),
        "webhook_update_state": "DELIVERED",
    }


NUMBER = r"(\d{1,32})"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{NUMBER}/whatsapp_business_profile", get_profile),
    ("POST", rf"{NUMBER}/whatsapp_business_profile", change_profile),
    ("GET", rf"{NUMBER}/block_users", list_blocked),
    ("POST", rf"{NUMBER}/block_users", block),
    ("DELETE", rf"{NUMBER}/block_users", block),
    ("GET", rf"{NUMBER}/message_history", get_history),
    ("POST", rf"{NUMBER}/groups", make_group),
    ("GET", rf"{NUMBER}/groups", list_groups),
    ("POST", rf"{NUMBER}/calls", make_call),
    ("POST", rf"{NUMBER}/flows", make_flow),
    ("GET", rf"{NUMBER}/settings", get_settings),
]
