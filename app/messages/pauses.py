"""The API of what is paused: the scopes in which nothing is sent because Meta refused a message."""

import re
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from app.domain.content_scope import MAX_NAME
from app.domain.meta.graph_errors import ErrorClass
from app.domain.scope_pause import ScopePause
from app.web.current import gateway
from app.web.errors import no_such
from app.web.guards import bearer, guarded_by
from app.web.schemas import CamelSchema, Timestamp, page_of

SCOPE = re.compile(f"[!-~]{{1,{MAX_NAME}}}", re.ASCII)

bp = Blueprint("sending", __name__, description="What keeps messages from being sent.")


class PauseSchema(CamelSchema):
    """A scope in which nothing is sent: `app`, `waba:ID`, `number:ID`, a template or a flow (`template:…`, `flow:…`).

    At `until` one message is tried, or a few; those of a template or a flow go on then.
    """

    name = ma.fields.String(required=True, data_key="scope")
    error_class = ma.fields.Enum(ErrorClass, by_value=True, required=True, data_key="class")
    code = ma.fields.Integer(required=True, metadata={"description": "Meta's code; 0 for a 429 without one."})
    reason = ma.fields.String(required=True, metadata={"description": "What Meta said, and the cure."})
    since = Timestamp(required=True)
    until = Timestamp(required=True, allow_none=True, metadata={"description": "Null: until a human resumes it."})


@bp.get("/sending/pauses")
@guarded_by(bearer("read"))
@bp.response(200, page_of(PauseSchema))
def list_pauses() -> dict[str, Any]:
    """List the scopes in which nothing is sent, all on one page."""
    return {"items": [_explained(pause) for pause in gateway().store.sending.pauses()], "nextCursor": None}


@bp.post("/sending/pauses/<scope>/resume")
@guarded_by(bearer("operate"))
@bp.response(200, PauseSchema)
def resume_scope(scope: str) -> Any:
    """Send again in a scope, and return its pause. Another refusal pauses it again.

    Where Meta accepts messages and fails them later, they go on step by step: 1, 10, 100, then all, a minute each.
    """
    pause = gateway().store.sending.resume(scope) if SCOPE.fullmatch(scope) else None
    if pause is None:
        raise no_such("pause", scope)
    return _explained(pause)


def _explained(pause: ScopePause) -> ScopePause:
    """Return the pause with the cure in its reason."""
    token = gateway().settings.access_token
    return replace(pause, reason=pause.explained(token.name if token else None))
