"""The profile of a number."""

from collections.abc import Callable

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID
from app.graph.fake.wire import Answer, Call, json_answer

PROFILE = {"about": "A business", "vertical": "OTHER", "messaging_product": "whatsapp"}


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


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{ID}/whatsapp_business_profile", get_profile),
    ("POST", rf"{ID}/whatsapp_business_profile", change_profile),
]
