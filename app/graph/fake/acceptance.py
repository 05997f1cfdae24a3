"""Accept a message: remember it, and plan what its statuses will be."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from app.graph.fake.accounts import Number
from app.graph.fake.behaviours import Behaviour
from app.graph.fake.meta import Meta
from app.graph.fake.people import PARTICIPANTS, as_seen, is_free_entry, is_window_open, person_of
from app.graph.fake.statuses import FREE_EACH_MONTH, Recipient, Sent, plan_statuses
from app.graph.fake.values import Json
from app.graph.fake.webhooks import change_of

WINDOW_CLOSED, NO_PAYMENT = 131047, 131042
CATEGORIES = (("marketing", ("promo", "marketing")), ("authentication", ("otp", "auth")))


@dataclass(frozen=True)
class Send:
    """A call to send. `kind`: the message's type; `person`: who gets it, unless `body` names a group."""

    number: Number
    body: Json
    kind: str
    endpoint: str
    person: Recipient
    behaviour: Behaviour

    @property
    def group(self) -> str | None:
        """Return the group that it goes to; None for one person."""
        return str(self.body["to"]) if self.body.get("recipient_type") == "group" else None


def accept(meta: Meta, send: Send) -> str:
    """Remember a message and plan its statuses; return its id."""
    sent = _sent(meta, send)
    outcome = _as_account_allows(meta, send, sent)
    sent = replace(sent, is_free=outcome.fails_with is None and _is_free(meta, send.number, sent))
    plan = list(plan_statuses(sent, outcome, meta.switches.pace))
    events = [(planned.statuses[0]["status"], sent.at + max(planned.after, 0)) for planned in plan]
    meta.state.put("message", sent.id, {**asdict(sent), "number": send.number.id, "events": events})
    for planned in plan:
        change = change_of(send.number, outcome.batch, contacts=planned.contacts, statuses=planned.statuses)
        if planned.is_early:
            meta.outlet.post_now(change)
        else:
            meta.outlet.plan(planned.after, change)
    return sent.id


def category_of(meta: Meta, body: Json, endpoint: str) -> str:
    """Return the pricing category of a message. A template's follows from its name unless it was created here."""
    if endpoint == "marketing_messages":
        return "marketing_lite"
    if "template" not in body:
        return str(body.get("category", "service"))
    name = str(body["template"]["name"])
    for _, template in meta.state.items("template"):
        if template["name"] == name:
            return str(template["category"]).lower()
    return next((category for category, words in CATEGORIES if any(word in name for word in words)), "utility")


def _sent(meta: Meta, send: Send) -> Sent:
    body, group = send.body, send.group
    seen = as_seen(send.person, send.behaviour)
    is_direct = body.get("category", "service") != "service"
    return Sent(
        id=meta.ids.sent(group or seen.wa_id or seen.user_id or ""),
        kind="voice" if send.kind == "audio" and body["audio"].get("voice") else send.kind,
        category=category_of(meta, body, send.endpoint),
        people=(seen,) if group is None else _participants(meta, group),
        at=meta.clock.now(),
        group=group,
        tracker=body.get("biz_opaque_callback_data"),
        template_id=meta.ids.digits("direct_template") if is_direct else None,
        is_free_entry=group is None and is_free_entry(meta, send.number.id, send.person),
    )


def _participants(meta: Meta, group: str) -> tuple[Recipient, ...]:
    known = meta.state.get("group", group) or {"participants": PARTICIPANTS}
    return tuple(person_of(meta, digits) for digits in known["participants"])


def _as_account_allows(meta: Meta, send: Send, sent: Sent) -> Behaviour:
    """Return how a message ends, given the window and the account's payment: both fail it after acceptance."""
    failed = replace(send.behaviour, steps=(), fails_with=WINDOW_CLOSED)
    switches = meta.switches
    needs_window = sent.category == "service" and sent.group is None
    if switches.windows == "strict" and needs_window and not is_window_open(meta, send.number.id, send.person):
        return failed
    if switches.no_payment and sent.category == "service" and _used(meta, send.number, sent) >= FREE_EACH_MONTH:
        return replace(failed, fails_with=NO_PAYMENT)
    return send.behaviour


def _is_free(meta: Meta, number: Number, sent: Sent) -> bool:
    """Count a service message; return whether it is among the free ones of the month."""
    if sent.category != "service" or sent.kind in ("reaction", "pin"):
        return False
    used = meta.state.update("free", _month(number, sent), lambda count: (count or 0) + 1)
    return bool(used <= FREE_EACH_MONTH)


def _used(meta: Meta, number: Number, sent: Sent) -> int:
    return int(meta.state.get("free", _month(number, sent)) or 0)


def _month(number: Number, sent: Sent) -> str:
    return f"{number.id}:{datetime.fromtimestamp(sent.at, UTC):%Y-%m}"
