"""The flows of an account: one can be made, and is not kept."""

from collections.abc import Callable

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import ID
from app.graph.fake.refusals import refuse
from app.graph.fake.values import of_text
from app.graph.fake.wire import Answer, Call, json_answer


def make_flow(meta: Meta, call: Call, waba: str) -> Answer:
    """Make a flow."""
    if not meta.accounts.numbers_of(waba):
        raise refuse("unknown_object", id=waba)
    of_text(fields_of(call), "name", "", 200)
    return json_answer({"id": meta.ids.digits("flow"), "success": True, "validation_errors": []})


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", rf"{ID}/flows", make_flow),
]
