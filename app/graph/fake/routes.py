"""Which call is answered by what, and what every answer has in common."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.domain.compact_json import compact_json
from app.graph.fake import (
    blocked_users,
    calls,
    flows,
    groups,
    media,
    message_history,
    nodes,
    profiles,
    qr_codes,
    subscriptions,
    templates,
    uploads,
)
from app.graph.fake.acting import get_question, learn_of_action
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import Refused, answer_to, refuse
from app.graph.fake.sending import post_message
from app.graph.fake.wire import CUSTOMER_ACTED, LAST_QUESTION, Answer, Call, html_answer

Handler = Callable[..., Answer]
ID = r"(\d{1,32})"

ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", rf"{ID}/(messages|marketing_messages)", post_message),
    ("GET", rf"{ID}/{LAST_QUESTION}", get_question),
    ("POST", rf"{ID}/{CUSTOMER_ACTED}", learn_of_action),
    *media.ROUTES,
    *uploads.ROUTES,
    *templates.ROUTES,
    *profiles.ROUTES,
    *blocked_users.ROUTES,
    *message_history.ROUTES,
    *groups.ROUTES,
    *calls.ROUTES,
    *flows.ROUTES,
    *qr_codes.ROUTES,
    *subscriptions.ROUTES,
    *nodes.ROUTES,
]
_COMPILED = [(method, re.compile(path), handler) for method, path, handler in ROUTES]
OPEN_PATHS = ("oauth/access_token",)


def answer(meta: Meta, call: Call) -> Answer:
    """Answer a call as Graph does."""
    is_send = call.path.endswith("messages")
    try:
        if call.path == media.ATTACHMENTS and meta.accounts.refusal_of(token_of(call)):
            return html_answer(401)
        _check_token(meta, call)
        found = _handled(meta, call)
        return _with_headers(meta, call, found, regain_minutes=0)
    except Refused as refused:
        answered = answer_to(refused.refusal, meta.ids.trace(), is_send=is_send)
        return _with_headers(meta, call, answered, regain_minutes=refused.refusal.regain_minutes)


def token_of(call: Call) -> str | None:
    """Return the token of a call: in the header (`Bearer` or `OAuth`) or in the query string."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else call.query.get("access_token")


def _check_token(meta: Meta, call: Call) -> None:
    refusal = None if call.path in OPEN_PATHS else meta.accounts.refusal_of(token_of(call))
    if refusal is not None:
        raise refuse(refusal)


def _handled(meta: Meta, call: Call) -> Answer:
    for method, path, handler in _COMPILED:
        found = path.fullmatch(call.path) if method == call.method else None
        if found is not None:
            return handler(meta, call, *found.groups())
    raise refuse("unknown_path", id=call.path)


def _with_headers(meta: Meta, call: Call, found: Answer, *, regain_minutes: int) -> Answer:
    return replace(found, headers={**_common(meta, call, regain_minutes), **found.headers})


def _common(meta: Meta, call: Call, regain_minutes: int) -> Mapping[str, str]:
    trace = meta.ids.trace()
    return {
        "facebook-api-version": meta.switches.answered_version or call.version or meta.accounts.version,
        "x-fb-request-id": trace[:15],
        "x-fb-trace-id": trace[:11],
        "x-fb-rev": "1030000000",
        "x-fb-debug": trace,
        "Cache-Control": "private, no-cache, no-store, must-revalidate",
        "Expires": "Sat, 01 Jan 2000 00:00:00 GMT",
        "Access-Control-Allow-Origin": "*",
        "X-Business-Use-Case-Usage": _usage(meta, call, regain_minutes),
    }


def _usage(meta: Meta, call: Call, regain_minutes: int) -> str:
    node = call.path.partition("/")[0]
    number = meta.accounts.number(node)
    percent = 100 if regain_minutes else 1
    use = {"type": "whatsapp", "call_count": percent, "total_cputime": 1, "total_time": 1}
    waba = number.waba if number else meta.accounts.numbers[0].waba if meta.accounts.numbers else node
    return compact_json({waba: [{**use, "estimated_time_to_regain_access": regain_minutes}]})
