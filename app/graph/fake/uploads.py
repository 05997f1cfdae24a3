"""Resumable uploads: a session, its bytes in one or several calls, and the handle that they end with."""

import base64
from collections.abc import Callable
from typing import Any

from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.wire import Answer, Call, json_answer

TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


def begin(meta: Meta, call: Call, app: str) -> Answer:
    """Begin a session for a file of a known length."""
    if app not in ("app", meta.accounts.app_id):
        raise refuse("unknown_object", id=app)
    length, mime_type = call.query.get("file_length", ""), call.query.get("file_type", "")
    if not length.isdigit() or mime_type not in TYPES:
        raise refuse("invalid_parameter", "file_length and a supported file_type are required.")
    session = "upload:MTph" + meta.ids.opaque("upload")
    facts = {"length": int(length), "type": mime_type, "data": ""}
    meta.state.put("upload", session, facts)
    return json_answer({"id": f"{session}?sig=ARa{meta.ids.opaque('upload')[:20]}"})


def send_bytes(meta: Meta, call: Call, session: str) -> Answer:
    """Take bytes from an offset on; return the handle once the file is whole."""
    upload = _session(meta, session)
    data = base64.b64decode(upload["data"])
    if call.headers.get("file_offset", "") != str(len(data)):
        raise refuse("invalid_parameter", f"The header file_offset must be {len(data)}.")
    data += call.body
    meta.state.put("upload", session, {**upload, "data": base64.b64encode(data).decode()})
    if len(data) < upload["length"]:
        return json_answer({"id": session, "file_offset": len(data)})
    kind = base64.b64encode(upload["type"].encode()).decode()
    return json_answer({"h": f"4::{kind}:ARb{meta.ids.opaque('handle')}"})


def get_session(meta: Meta, _: Call, session: str) -> Answer:
    """Return how far a session has come."""
    upload = _session(meta, session)
    return json_answer({"id": session, "file_offset": len(base64.b64decode(upload["data"]))})


def _session(meta: Meta, session: str) -> dict[str, Any]:
    upload: dict[str, Any] | None = meta.state.get("upload", session)
    if upload is None:
        raise refuse("unknown_object", id=session)
    return upload


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", r"(\d{1,32}|app)/uploads", begin),
    ("POST", r"(upload:[A-Za-z0-9_=-]+)", send_bytes),
    ("GET", r"(upload:[A-Za-z0-9_=-]+)", get_session),
]
