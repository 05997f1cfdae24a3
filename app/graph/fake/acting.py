"""Customers who act: what they do is remembered on Meta's side, and reported by a webhook."""

import base64
from collections.abc import Iterator
from typing import Any

from app.graph.fake import buckets, media
from app.graph.fake.acceptance import Send
from app.graph.fake.accounts import Number
from app.graph.fake.behaviours import TEST_USER_ID
from app.graph.fake.customers import MEDIA, Action, ActionContext, change_by
from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.people import introduce, key_of, note_inbound, person_of, user_id_of
from app.graph.fake.refusals import refuse
from app.graph.fake.samples import SAMPLES, digest_of
from app.graph.fake.statuses import Recipient
from app.graph.fake.wire import Answer, Call, json_answer

ECHO = "echo:"
ECHO_SECONDS = 1.0
OPENS_NO_WINDOW = ("number", "marketing", "hang_up")


def act(meta: Meta, action: dict[str, Any], origin: str, after: float = 0) -> str:
    """Let a customer do something; return the id under which the webhook reports it.

    Raise `ValueError` for an action that there is not.
    """
    number = _number(meta, action)
    person = _person(meta, action)
    last = meta.state.get("asked", f"{number.id}:{key_of(person)}") or {}
    context = ActionContext(
        number=number,
        person=person,
        id=meta.ids.received(key_of(person)),
        at=int(meta.clock.now() + after),
        name=str(action.get("name", "Ada")),
        username=action.get("username"),
        answered=last.get("id"),
        choices=last.get("choices", {}),
    )
    change = change_by(context, _with_media(meta, number, action, origin))
    _remember(meta, number, person, action)
    meta.outlet.plan(after * meta.switches.pace, change)
    return context.id


def echo(meta: Meta, send: Send, origin: str) -> None:
    """Let the customer repeat a text that begins with `echo:`, a second later."""
    text = str(send.body.get("text", {}).get("body", ""))
    if send.group is None and text.startswith(ECHO):
        person = {"from": send.person.wa_id, "user_id": send.person.user_id}
        act(meta, {"type": "text", "text": text, **person, "to": send.number.id}, origin, after=ECHO_SECONDS)


def remember_question(meta: Meta, send: Send, wamid: str) -> None:
    """Remember what was last sent to a customer, so that an answer names its id, and a title its choice."""
    if send.group is None:
        asked = {"id": wamid, "choices": dict(_choices(send.body.get("interactive", {}).get("action", {})))}
        meta.state.put("asked", f"{send.number.id}:{key_of(send.person)}", asked)


def get_question(meta: Meta, call: Call, number_id: str) -> Answer:
    """Return what was last sent to a customer, for `simulate`; Graph has no such call."""
    person = person_of(meta, call.query.get("customer", "").lstrip("+"))
    key = f"{meta.number(number_id).id}:{key_of(person)}"
    return json_answer(meta.state.get("asked", key) or {"id": None, "choices": {}})


def learn_of_action(meta: Meta, call: Call, number_id: str) -> Answer:
    """Remember what a customer does in whose name `simulate` posts a webhook; Graph has no such call."""
    action = fields_of(call)
    try:
        _remember(meta, meta.number(number_id), _person(meta, action), action)
    except (KeyError, ValueError) as error:
        raise refuse("invalid_parameter", f"An action has a type and a customer: {error}") from error
    return json_answer({"success": True})


def _choices(action: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for button in action.get("buttons") or []:
        if "reply" in button:
            yield button["reply"]["title"], {"id": button["reply"]["id"]}
    for section in action.get("sections") or []:
        for row in section.get("rows") or []:
            yield row["title"], {"id": row["id"], "description": row.get("description", "")}


def _number(meta: Meta, action: Action) -> Number:
    wanted = action.get("to")
    for number in meta.accounts.numbers:
        if wanted in (None, number.id, number.display):
            return number
    raise ValueError(f"there is no business number {wanted}")


def _person(meta: Meta, action: Action) -> Recipient:
    """Return the customer that acts: known by a number (`from`), a user id, or both."""
    phone, user_id = str(action.get("from") or "").lstrip("+"), action.get("user_id")
    if not phone and not user_id:
        raise ValueError("say who acts: `from`, `user_id`, or both")
    if phone and not user_id:
        return person_of(meta, phone)
    person = Recipient(phone or None, str(user_id) if user_id else user_id_of(phone))
    if phone and not TEST_USER_ID.fullmatch(str(user_id)):
        introduce(meta, person)
    return person


def _with_media(meta: Meta, number: Number, action: Action, origin: str) -> dict[str, Any]:
    """Return the action with a file that can be fetched, where it has none: the given bytes, or a sample."""
    kind = action.get("type")
    if kind not in MEDIA or "media" in action:
        return dict(action)
    sample = SAMPLES[kind]
    data = base64.b64decode(action["data"]) if "data" in action else sample.data
    mime_type = str(action.get("mime_type", sample.mime_type))
    media_id = media.keep(meta, number.id, mime_type, data, str(action.get("filename", "")))
    url = media.address_of(meta, origin, media_id)
    return {**action, "media": {"id": media_id, "mime_type": mime_type, "sha256": digest_of(data), "url": url}}


def _remember(meta: Meta, number: Number, person: Recipient, action: Action) -> None:
    switches = meta.switches
    if switches.number_rate is not None:  # what comes in counts for the number's limit too
        bucket = buckets.of_number(switches.number_rate, switches.number_burst)
        buckets.take_token(meta.state, bucket, number.id, meta.clock.now())
    if action["type"] not in OPENS_NO_WINDOW:
        note_inbound(meta, number.id, person, has_referral="referral" in action)
    if action["type"] == "number":
        new = str(action["number"]).lstrip("+")
        introduce(meta, Recipient(new, user_id_of(new)))
