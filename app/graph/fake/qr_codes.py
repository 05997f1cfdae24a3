"""The QR codes of a number."""

from collections.abc import Callable

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.values import of_text
from app.graph.fake.wire import Answer, Call, json_answer


def make_code(meta: Meta, call: Call, number_id: str) -> Answer:
    """Make a QR code, or change one."""
    meta.number(number_id)
    body = fields_of(call)
    code = str(body.get("code") or meta.ids.opaque("qr")[:14].upper())
    image = {"qr_image_url": f"{call.origin}/qr/{code}.png"} if body.get("generate_qr_image") else {}
    made = {
        "code": code,
        "prefilled_message": of_text(body, "prefilled_message", "", 140),
        "deep_link_url": f"https://wa.me/message/{code}",
        **image,
    }
    meta.state.put("qr", f"{number_id}:{code}", made)
    return json_answer(made)


def list_codes(meta: Meta, _: Call, number_id: str, code: str | None = None) -> Answer:
    """Return the QR codes of a number, or one."""
    meta.number(number_id)
    wanted = f"{number_id}:{code or ''}"
    return json_answer({"data": [made for key, made in meta.state.items("qr") if key.startswith(wanted)]})


def delete_code(meta: Meta, _: Call, number_id: str, code: str) -> Answer:
    """Delete a QR code."""
    if not meta.state.delete("qr", f"{number_id}:{code}"):
        raise refuse("unknown_object", id=code)
    return json_answer({"success": True})


NUMBER, CODE = r"(\d{1,32})", r"([A-Za-z0-9_-]{1,64})"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{NUMBER}/message_qrdls", list_codes),
    ("POST", rf"{NUMBER}/message_qrdls", make_code),
    ("GET", rf"{NUMBER}/message_qrdls/{CODE}", list_codes),
    ("DELETE", rf"{NUMBER}/message_qrdls/{CODE}", delete_code),
]
