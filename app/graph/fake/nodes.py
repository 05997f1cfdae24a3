"""Numbers, accounts, tokens and subscriptions: the calls about what exists."""

from collections.abc import Callable
from typing import Any

from app.domain.constant_time import constant_time_index
from app.graph.fake import media, templates
from app.graph.fake.accounts import Number
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.wire import Answer, Call, json_answer

NODE, TOKEN = "node", "token"
ID = r"(\d{1,32})"
SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")
ON_REQUEST = ("whatsapp_business_manager_messaging_limit", "health_status", "name_status", "status")


def get_node(meta: Meta, call: Call, node: str) -> Answer:
    """Return a number, an account, a template or a file."""
    if number := meta.accounts.number(node):
        return json_answer(_chosen(_number(meta, number), call, node))
    if meta.accounts.numbers_of(node):
        account = {"id": node, "name": "Test account", "timezone_id": "1", "currency": "USD", **_health(node)}
        account |= _overrides(meta, node)
        return json_answer(_chosen(account, call, node, usual=("id", "name", "timezone_id", "currency")))
    return templates.get_template(meta, node) or media.get_media(meta, call, node)


def post_node(meta: Meta, call: Call, node: str) -> Answer:
    """Change a template; or a number, an account or their settings, of which nothing matters here."""
    if meta.accounts.number(node) or meta.accounts.numbers_of(node):
        return json_answer({"success": True})
    changed = templates.change_template(meta, call, node)
    if changed is None:
        raise refuse("unknown_object", id=node)
    return changed


def list_numbers(meta: Meta, call: Call, waba: str) -> Answer:
    """Return the numbers of an account."""
    numbers = meta.accounts.numbers_of(waba)
    if not numbers:
        raise refuse("unknown_object", id=waba)
    return json_answer(page_of([_chosen(_number(meta, number), call, number.id) for number in numbers]))


def get_settings(meta: Meta, _: Call, number_id: str) -> Answer:
    """Return the settings of a number."""
    meta.number(number_id)
    return json_answer({"calling": {"status": "DISABLED"}, "storage_configuration": {"status": "DEFAULT"}})


def debug_token(meta: Meta, call: Call) -> Answer:
    """Return the permissions of a token."""
    accounts = meta.accounts
    targets = sorted({number.waba for number in accounts.numbers})
    is_valid = accounts.refusal_of(call.query.get("input_token")) is None
    data: dict[str, Any] = {
        "app_id": accounts.app_id,
        "type": "SYSTEM_USER",
        "application": "Test app",
        "data_access_expires_at": 0,
        "expires_at": 0,
        "is_valid": is_valid,
        "issued_at": int(meta.clock.now()) - 86400,
        "scopes": list(SCOPES) if is_valid else [],
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in SCOPES] if is_valid else [],
        "user_id": "122100000000000000",
    }
    return json_answer({"data": {**data, **_overrides(meta, TOKEN)}})


def app_token(meta: Meta, call: Call) -> Answer:
    """Return the token of an app for its id and secret."""
    token = meta.accounts.app_token
    presented = f"{call.query.get('client_id')}|{call.query.get('client_secret')}"
    if constant_time_index(presented.encode(), [token.encode()]) is None:
        raise refuse("invalid_parameter", "Error validating client secret.")
    return json_answer({"access_token": token, "token_type": "bearer"})


def page_of(items: list[Any]) -> dict[str, Any]:
    """Return a list that has one page."""
    cursors = {"cursors": {"before": "QVFIUmJlZm9yZQZDZD", "after": "QVFIUmFmdGVyZAZDZD"}} if items else {}
    return {"data": items, **({"paging": cursors} if cursors else {})}


def _number(meta: Meta, number: Number) -> dict[str, Any]:
    return {
        "verified_name": "Test business",
        "code_verification_status": "VERIFIED",
        "display_phone_number": _printed(number.display),
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "last_onboarded_time": "2025-11-24T16:00:00+0000",
        "webhook_configuration": {"application": meta.accounts.callback_url or ""},
        "id": number.id,
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "name_status": "APPROVED",
        "status": "CONNECTED",
        **_health(number.id),
        **_overrides(meta, number.id),
    }


def _overrides(meta: Meta, node: str) -> dict[str, Any]:
    """Return the fields of a node that a test or a user has set."""
    return meta.state.get(NODE, node) or {}


def _health(node: str) -> dict[str, Any]:
    entity = {"entity_type": "PHONE_NUMBER", "id": node, "can_send_message": "AVAILABLE"}
    return {"health_status": {"can_send_message": "AVAILABLE", "entities": [entity]}}


def _printed(digits: str) -> str:
    return f"+{digits[:1]} {digits[1:4]}-{digits[4:7]}-{digits[7:]}"


def _chosen(node: dict[str, Any], call: Call, node_id: str, usual: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields that were asked for, or the usual ones; always the id."""
    asked = call.query.get("fields")
    names = asked.split(",") if asked else usual or [name for name in node if name not in ON_REQUEST]
    return {**{name: node[name] for name in names if name in node}, "id": node_id}


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", rf"{ID}/phone_numbers", list_numbers),
    ("GET", rf"{ID}/settings", get_settings),
    ("GET", r"debug_token", debug_token),
    ("GET", r"oauth/access_token", app_token),
    ("POST", rf"{ID}/(?:register|deregister|request_code|verify_code|settings)", post_node),
    ("GET", ID, get_node),
    ("POST", ID, post_node),
    ("DELETE", ID, media.delete_media),
]
