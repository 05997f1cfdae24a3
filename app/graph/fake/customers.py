"""Makes webhooks that report actions of customers: messages of every kind, answers, calls, changes of their number.

An action is JSON: `{"type": "text", "text": "hi"}`. `FIELDS` lists the fields of each type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.compact_json import compact_json
from app.domain.meta.payloads.findings import printable
from app.graph.fake.accounts import Number
from app.graph.fake.statuses import Recipient
from app.graph.fake.webhooks import Change, change_of

Action = Mapping[str, Any]
Content = dict[str, Any]


@dataclass(frozen=True)
class ActionContext:
    """An action's customer (`person`), our number that it is sent to, its id and its time.

    `answered`: the id of the message that the customer answers; `choices`: the choices that it offered, by title.
    """

    number: Number
    person: Recipient
    id: str
    at: int
    name: str = "Ada"
    username: str | None = None
    answered: str | None = None
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def change_by(context: ActionContext, action: Action) -> Change:
    """Return the change that reports an action in a webhook. Raise `ValueError` for an unknown action or field."""
    kind = action.get("type")
    if kind not in FIELDS:
        raise ValueError(f"no action of a customer has the type {kind!r}; the types are {', '.join(FIELDS)}")
    needed, allowed = FIELDS[kind]
    if missing := needed - set(action):
        raise ValueError(f"{kind} needs {', '.join(sorted(missing))}")
    if unknown := set(action) - needed - allowed - ANY:
        known = ", ".join(sorted(needed | allowed)) or "nothing"
        raise ValueError(f"{kind} takes no {', '.join(map(printable, sorted(unknown)))}; it takes {known}")
    if kind in ("call", "hang_up"):
        return _change(context, "calls", calls=[_call(context, kind)])
    if kind == "marketing":
        return _change(context, "user_preferences", user_preferences=[_preference(context, action)])
    return _change(context, "messages", messages=[_message(context, str(kind), action)])


def _change(context: ActionContext, name: str, **lists: Any) -> Change:
    profile = {"name": context.name, **({"username": context.username} if context.username else {})}
    contact = {"profile": profile, "wa_id": context.person.wa_id, "user_id": context.person.user_id}
    return change_of(context.number, field=name, contacts=[_without_none(contact)], **lists)


def _without_none(value: Content) -> Content:
    return {key: each for key, each in value.items() if each is not None}


def _sender(context: ActionContext) -> Content:
    return _without_none({"from": context.person.wa_id, "from_user_id": context.person.user_id})


def _message(context: ActionContext, kind: str, action: Action) -> Content:
    content = MESSAGES[kind](context, action)
    message = {**_sender(context), "id": context.id, "timestamp": str(context.at), **content}
    if "referral" in action:
        message["referral"] = action["referral"]
    if kind in ("button", "list", "flow", "template_button") or "answers" in action:
        message["context"] = {
            "from": context.number.display,
            "id": action.get("answers") or context.answered or "wamid.unknown",
        }
    return message


def _content(kind: str, content: Any) -> Content:
    return {"type": kind, kind: content}


def _media(_: ActionContext, action: Action) -> Content:
    kind = str(action["type"])
    facts = {key: action[key] for key in ("caption", "filename", "voice") if key in action}
    return _content(kind, {**action["media"], **facts})


def _button(context: ActionContext, action: Action) -> Content:
    title, chosen = _chosen(context, action)
    return _content("interactive", {"type": "button_reply", "button_reply": {"id": chosen["id"], "title": title}})


def _row(context: ActionContext, action: Action) -> Content:
    title, chosen = _chosen(context, action)
    reply = {"id": chosen["id"], "title": title}
    if description := action.get("description", chosen.get("description")):
        reply["description"] = str(description)
    return _content("interactive", {"type": "list_reply", "list_reply": reply})


def _chosen(context: ActionContext, action: Action) -> tuple[str, Mapping[str, str]]:
    """Return the chosen title and its choice. An action's `title` may also be the id of a choice."""
    wanted, choices = str(action["title"]), context.choices
    if "id" in action:
        return wanted, {**choices.get(wanted, {}), "id": str(action["id"])}
    if not choices:
        return wanted, {"id": wanted}
    title = wanted if wanted in choices else next((t for t, each in choices.items() if each["id"] == wanted), None)
    if title is None:
        offers = ", ".join(f"{title} (id {each['id']})" for title, each in choices.items())
        raise ValueError(f"the last message does not offer {wanted!r}; it offers {offers}")
    return title, choices[title]


def _flow(_: ActionContext, action: Action) -> Content:
    answer = compact_json({"flow_token": "unused", **action["response"]})
    reply = {"name": "flow", "body": "Sent", "response_json": answer}
    return _content("interactive", {"type": "nfm_reply", "nfm_reply": reply})


def _reaction(context: ActionContext, action: Action) -> Content:
    target = str(action.get("message_id") or context.answered or "wamid.unknown")
    emoji = action.get("emoji")
    return _content("reaction", {"message_id": target, **({"emoji": emoji} if emoji else {})})


def _order(_: ActionContext, action: Action) -> Content:
    items = action.get("items") or [
        {"product_retailer_id": "tulip", "quantity": 2, "item_price": 4.5, "currency": "EUR"}
    ]
    return _content("order", {"catalog_id": str(action.get("catalog_id", "194836987003835")), "product_items": items})


def _new_number(context: ActionContext, action: Action) -> Content:
    new, old = str(action["number"]).lstrip("+"), context.person.wa_id
    body = f"User {context.name} changed from {old} to {new}"
    return _content("system", {"body": body, "wa_id": new, "type": "user_changed_number"})


def _unsupported(_: ActionContext, __: Action) -> Content:
    error = {
        "code": 131051,
        "title": "Message type unknown",
        "message": "Message type unknown",
        "error_data": {"details": "Message type is currently not supported."},
    }
    return {"type": "unsupported", "errors": [error], "unsupported": {"type": "poll"}}


def _call(context: ActionContext, kind: str) -> Content:
    call = {"id": "wacid." + context.id.removeprefix("wamid."), **_sender(context), "to": context.number.display}
    call |= {"timestamp": str(context.at), "direction": "USER_INITIATED"}
    if kind == "call":
        return {**call, "event": "connect", "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}}
    times = {"start_time": str(context.at - 42), "end_time": str(context.at), "duration": 42}
    return {**call, "event": "terminate", "status": "COMPLETED", **times}


def _preference(context: ActionContext, action: Action) -> Content:
    value = str(action["value"])
    ids = _without_none({"wa_id": context.person.wa_id, "user_id": context.person.user_id})
    detail = f"User requested to {value} marketing messages"
    preference = {"category": "marketing_messages", "value": value, "detail": detail, "timestamp": context.at}
    return {**ids, **preference}


CHOOSING = ("button", "list")
MEDIA = ("image", "video", "audio", "document", "sticker")
MESSAGES: dict[str, Callable[[ActionContext, Action], Content]] = {
    "text": lambda _, action: _content("text", {"body": str(action["text"])}),
    **dict.fromkeys(MEDIA, _media),
    "button": _button,
    "list": _row,
    "template_button": lambda _, action: _content(
        "button", {"payload": str(action.get("payload", action["title"])), "text": str(action["title"])}
    ),
    "location": lambda _, action: _content(
        "location", {key: action[key] for key in ("latitude", "longitude", "name", "address") if key in action}
    ),
    "contacts": lambda _, action: _content("contacts", action["contacts"]),
    "reaction": _reaction,
    "order": _order,
    "flow": _flow,
    "number": _new_number,
    "unsupported": _unsupported,
}

ANY = frozenset({"type", "from", "user_id", "username", "name", "to", "referral", "answers"})
FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "text": (frozenset({"text"}), frozenset()),
    **dict.fromkeys(MEDIA, (frozenset(), frozenset({"media", "data", "mime_type", "caption", "filename", "voice"}))),
    "button": (frozenset({"title"}), frozenset({"id"})),
    "list": (frozenset({"title"}), frozenset({"id", "description"})),
    "template_button": (frozenset({"title"}), frozenset({"payload"})),
    "location": (frozenset({"latitude", "longitude"}), frozenset({"address"})),
    "contacts": (frozenset({"contacts"}), frozenset()),
    "reaction": (frozenset(), frozenset({"emoji", "message_id"})),
    "order": (frozenset(), frozenset({"items", "catalog_id"})),
    "flow": (frozenset({"response"}), frozenset()),
    "number": (frozenset({"number"}), frozenset()),
    "unsupported": (frozenset(), frozenset()),
    "call": (frozenset(), frozenset()),
    "hang_up": (frozenset(), frozenset()),
    "marketing": (frozenset({"value"}), frozenset()),
}
"""By type: the fields that an action needs, and those it may have. Every action may have those of `ANY` too."""
