"""`POST /{number}/messages` and `/marketing_messages`: refuse, or accept and plan the statuses."""

from dataclasses import replace
from typing import Any

from app.graph.fake import buckets
from app.graph.fake.acceptance import Send, accept
from app.graph.fake.accounts import Number
from app.graph.fake.acting import echo, remember_question
from app.graph.fake.behaviours import Behaviour
from app.graph.fake.check_media import MEDIA_KEYS
from app.graph.fake.check_message import check_message
from app.graph.fake.check_order import refuse_expired_orders
from app.graph.fake.fields import fields_of
from app.graph.fake.ids import INCOMING, marker_of
from app.graph.fake.media import known
from app.graph.fake.meta import Meta
from app.graph.fake.people import address_of, as_seen, key_of, meet, pair_of, person_of
from app.graph.fake.refusals import Refused, filled, refuse
from app.graph.fake.scripts import next_behaviour
from app.graph.fake.statuses import Recipient
from app.graph.fake.templates import refuse_unready
from app.graph.fake.values import Json, of_object, of_text, only
from app.graph.fake.wire import Answer, Call, html_answer, json_answer


def post_message(meta: Meta, call: Call, number_id: str, endpoint: str) -> Answer:
    """Answer a send, or a read receipt."""
    number = meta.number(number_id)
    body = fields_of(call)
    if "status" in body:
        return _mark_as_read(body)
    kind = check_message(body, endpoint)
    refuse_expired_orders(body, meta.clock.now())
    person = person_of(meta, address_of(body))
    if kind == "template":
        refuse_unready(meta, number, body)
    if meta.switches.media == "strict":
        _refuse_unknown_media(meta, number, body, kind)
    behaviour = next_behaviour(meta, key_of(person))
    _refuse_if_scripted(meta, behaviour, key_of(person), body, number)
    _refuse_if_too_fast(meta, number, person, is_group=body.get("recipient_type") == "group")
    if not behaviour.is_accepted:
        return _as_it_arrives(meta, behaviour, json_answer({}))
    send = Send(number, body, kind, endpoint, person, behaviour)
    if send.group is None:
        meet(meta, person)
    wamid = accept(meta, send)
    remember_question(meta, send, wamid)
    echo(meta, send, call.origin)
    return _as_it_arrives(meta, behaviour, json_answer(_accepted(send, wamid)))


def _mark_as_read(body: Json) -> Answer:
    only(body, "", {"messaging_product", "status", "message_id", "typing_indicator"})
    if body["status"] != "read":
        raise refuse("invalid_value", "Param status must be one of {read}.")
    if marker_of(of_text(body, "message_id", "", 1024)) != INCOMING:
        raise refuse("invalid_value", "Param message_id is not the id of a message that was received.")
    if "typing_indicator" in body:
        of_text(of_object(body, "typing_indicator", allowed={"type"}), "type", "typing_indicator", 10)
    return json_answer({"success": True})


def _refuse_unknown_media(meta: Meta, number: Number, body: Json, kind: str) -> None:
    if kind in MEDIA_KEYS and "id" in body[kind]:
        try:
            known(meta, str(body[kind]["id"]), number.id)
        except Refused:
            details = f"Param {kind}['id'] is not a valid whatsapp business account media attachment ID"
            raise refuse("invalid_parameter", details) from None


def _refuse_if_scripted(meta: Meta, behaviour: Behaviour, key: str, body: Json, number: Number) -> None:
    refusal = behaviour.refusal
    if refusal is None or (refusal.code == 190 and meta.state.get("healed", "tokens") is not None):
        return
    now = meta.clock.now()
    seen = meta.state.update(
        "refused",
        key,
        lambda old: {"first": (old or {"first": now})["first"], "count": (old or {"count": 0})["count"] + 1},
    )
    if behaviour.times is not None and seen["count"] > behaviour.times:
        return
    if behaviour.seconds is not None and now - seen["first"] >= behaviour.seconds:
        return
    template = body.get("template") or {}
    language = (template.get("language") or {}).get("code", "en_US")
    raise Refused(
        filled(refusal, id=number.id, template=str(template.get("name", "a_template")), language=str(language))
    )


def _refuse_if_too_fast(meta: Meta, number: Number, person: Recipient, *, is_group: bool) -> None:
    switches, now = meta.switches, meta.clock.now()
    if switches.number_rate is not None:
        bucket = buckets.of_number(switches.number_rate, switches.number_burst)
        if not buckets.take_token(meta.state, bucket, number.id, now):
            raise refuse("throughput")
    if switches.pair_limit and not is_group:
        pair = pair_of(number.id, person)
        if not buckets.take_token(meta.state, buckets.PAIR, pair, now):
            raise refuse("pair")


def _accepted(send: Send, wamid: str) -> dict[str, Any]:
    """Return the answer to a message that was accepted."""
    message = {"id": wamid}
    if send.group is not None:
        contact = {"input": send.group, "wa_id": send.group}
        message["group_id"] = send.group
    else:
        contact = _contact(send.body, as_seen(send.person, send.behaviour))
    if send.kind == "template" or send.behaviour.message_status:
        message["message_status"] = send.behaviour.message_status or "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}


def _contact(body: Json, seen: Recipient) -> dict[str, str]:
    if "to" in body and seen.wa_id is not None:
        return {"input": body["to"], "wa_id": seen.wa_id}
    return {"input": body.get("to") or body["recipient"], "user_id": seen.user_id or ""}


def _as_it_arrives(meta: Meta, behaviour: Behaviour, answer: Answer) -> Answer:
    """Return an answer with the delay and the damage that the recipient's test number asks for."""
    if behaviour.html is not None:
        answer = html_answer(behaviour.html)
    switches = meta.switches
    delay = switches.answer_seconds + behaviour.delay_seconds * switches.answer_pace
    return replace(answer, line=behaviour.line, delay_seconds=delay)
