"""The groups of a number."""

from collections.abc import Callable

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID
from app.graph.fake.people import PARTICIPANTS
from app.graph.fake.values import of_text
from app.graph.fake.wire import Answer, Call, json_answer


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


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", rf"{ID}/groups", make_group),
    ("GET", rf"{ID}/groups", list_groups),
]
