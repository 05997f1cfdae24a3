"""Templates: creating, listing, changing and deleting them, and what a template's state does to a send."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from app.graph.fake.accounts import Number
from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.values import Json, of_choice, of_objects, of_text, wrong
from app.graph.fake.webhooks import Change
from app.graph.fake.wire import Answer, Call, json_answer

REVIEW_SECONDS = 1.0
"""How long a new template is pending."""

CATEGORIES = {"marketing", "utility", "authentication"}
NAME = re.compile(r"[a-z0-9_]{1,512}")
PLACEHOLDER = re.compile(r"\{\{\w+\}\}")
PAUSED_AT_SEND = 3
PAGE = 25
SHOWN = ("name", "parameter_format", "components", "language", "status", "category", "id")


def create(meta: Meta, call: Call, waba: str) -> Answer:
    """Create a template; its review ends a second later, with a webhook."""
    _check_account(meta, waba)
    body = fields_of(call)
    name = of_text(body, "name", "", 512)
    if not NAME.fullmatch(name):
        raise wrong("", "name", "must be lower-case letters, digits and underscores")
    category = of_choice(body, "category", "", CATEGORIES).upper()
    language = of_text(body, "language", "", 20)
    of_objects(body, "components", "", 1, 20)
    if any((known["name"], known["language"]) == (name, language) for known in _of(meta, waba)):
        raise refuse("invalid_parameter", "There is already content in this language for this template.")
    template = {
        "id": meta.ids.digits("template"),
        "waba": waba,
        "name": name,
        "language": language,
        "category": category,
        "components": body["components"],
        "parameter_format": str(body.get("parameter_format", "POSITIONAL")).upper(),
        "decided_at": meta.clock.now() + REVIEW_SECONDS,
        "verdict": "REJECTED" if "reject" in name else "APPROVED",
        "sends": 0,
    }
    meta.state.put("template", template["id"], template)
    meta.outlet.plan(
        REVIEW_SECONDS * meta.switches.pace, _change(template, template["verdict"], int(template["decided_at"]))
    )
    return json_answer({"id": template["id"], "status": "PENDING", "category": category})


def list_templates(meta: Meta, call: Call, waba: str) -> Answer:
    """Return a page of templates; the address of the next one holds the token, as Meta's does."""
    _check_account(meta, waba)
    wanted = call.query.get("name")
    found = [template for template in _of(meta, waba) if wanted in (None, template["name"])]
    start = int(call.query.get("after") or 0) if (call.query.get("after") or "0").isdigit() else 0
    limit = max(1, int(call.query.get("limit") or PAGE))
    end = start + limit
    page: dict[str, Any] = {"data": [_shown(meta, template) for template in found[start:end]]}
    page["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
    if "summary" in call.query:
        counted = {"total_count": len(found), "message_template_count": len(found), "message_template_limit": 250}
        page["summary"] = {**counted, "are_translations_complete": True}
    if end < len(found):
        token = call.headers.get("authorization", "").partition(" ")[2]
        query = urlencode({"access_token": token, "limit": limit, "after": end})
        page["paging"]["next"] = f"{call.origin}/{meta.accounts.version}/{waba}/message_templates?{query}"
    return json_answer(page)


def get_template(meta: Meta, template_id: str) -> Answer | None:
    """Return a template; None if no template has this id."""
    template = meta.state.get("template", template_id)
    return None if template is None else json_answer(_shown(meta, template))


def change_template(meta: Meta, call: Call, template_id: str) -> Answer | None:
    """Change the components or category of a template; None if no template has this id."""
    template = meta.state.get("template", template_id)
    if template is None:
        return None
    body = fields_of(call)
    changes = {key: body[key] for key in ("components", "category") if key in body}
    meta.state.put("template", template_id, {**template, **changes})
    return json_answer({"success": True})


def delete_templates(meta: Meta, call: Call, waba: str) -> Answer:
    """Delete the templates of a name, or the one of an id and a name."""
    _check_account(meta, waba)
    name, template_id = call.query.get("name"), call.query.get("hsm_id")
    gone = [each["id"] for each in _of(meta, waba) if each["name"] == name and template_id in (None, each["id"])]
    if not gone:
        raise refuse("invalid_parameter", f"Message template with name {name} was not found.")
    for each in gone:
        meta.state.delete("template", each)
    return json_answer({"success": True})


def refuse_unready(meta: Meta, number: Number, body: Json) -> None:
    """Refuse to send a template that was created here if it cannot be sent, or if its parameters do not match.

    Unless templates are strict, accept one that was not created here, and one whose review has not ended.
    """
    name, language = body["template"]["name"], body["template"]["language"]["code"]
    is_strict = meta.switches.templates == "strict"
    found = [each for each in _of(meta, number.waba) if (each["name"], each["language"]) == (name, language)]
    if not found:
        if is_strict:
            raise refuse("template", template=name, language=language)
        return
    [template] = found
    if _status(meta, template) not in ("APPROVED", "PAUSED", *(() if is_strict else ("PENDING",))):
        raise refuse("template", template=name, language=language)
    _refuse_other_count(template, body)
    _count_send(meta, template)


def _count_send(meta: Meta, template: dict[str, Any]) -> None:
    """Pause a template at its third send if its name says so."""
    counted = {**template, "sends": template["sends"] + 1}
    meta.state.put("template", template["id"], counted)
    if _status(meta, counted) == "PAUSED":
        if counted["sends"] == PAUSED_AT_SEND:
            meta.outlet.plan(0, _change(counted, "PAUSED", int(meta.clock.now())))
        raise refuse("paused_template")


def _refuse_other_count(template: dict[str, Any], body: Json) -> None:
    texts = [str(part.get("text", "")) for part in template["components"] if str(part.get("type")).upper() == "BODY"]
    wanted = len(set(PLACEHOLDER.findall(" ".join(texts))))
    given = [
        len(component.get("parameters") or [])
        for component in body["template"].get("components") or []
        if str(component["type"]).lower() == "body"
    ]
    if sum(given) != wanted:
        details = f"body: number of localizable_params ({sum(given)}) does not match the expected number of params"
        raise refuse("parameter_count", f"{details} ({wanted})")


def _status(meta: Meta, template: dict[str, Any]) -> str:
    if meta.clock.now() < template["decided_at"] and meta.switches.pace:
        return "PENDING"
    is_paused = "pause" in template["name"] and template["sends"] >= PAUSED_AT_SEND
    return "PAUSED" if is_paused else str(template["verdict"])


def _shown(meta: Meta, template: dict[str, Any]) -> dict[str, Any]:
    whole = {**template, "status": _status(meta, template)}
    return {name: whole[name] for name in SHOWN}


def _change(template: dict[str, Any], event: str, at: int) -> Change:
    value = {
        "event": event,
        "message_template_id": int(template["id"]),
        "message_template_name": template["name"],
        "message_template_language": template["language"],
        "message_template_category": template["category"],
        "reason": "INVALID_FORMAT" if event == "REJECTED" else "NONE",
    }
    return Change(template["waba"], "message_template_status_update", value, at=at)


def _of(meta: Meta, waba: str) -> list[dict[str, Any]]:
    return [template for _, template in meta.state.items("template") if template["waba"] == waba]


def _check_account(meta: Meta, waba: str) -> None:
    if not meta.accounts.numbers_of(waba):
        raise refuse("unknown_object", id=waba)


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", r"(\d{1,32})/message_templates", create),
    ("GET", r"(\d{1,32})/message_templates", list_templates),
    ("DELETE", r"(\d{1,32})/message_templates", delete_templates),
]
