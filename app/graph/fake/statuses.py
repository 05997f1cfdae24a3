"""Plan the statuses of an accepted message: which come, when, and with which fields and prices."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.graph.fake.behaviours import Behaviour, Step
from app.graph.fake.failures import error_of

FREE_EACH_MONTH = 1000
"""How many delivered service messages of a number are free in a month."""

SENT, DELIVERED, READ = ("sent", 0.2), ("delivered", 0.7), ("read", 1.7)
STEPS: dict[str, tuple[Step, ...]] = {
    "reaction": (SENT,),
    "pin": (SENT, DELIVERED),
    "voice": (SENT, DELIVERED, ("played", 1.7), ("read", 2.7)),
}
UNPRICED = ("reaction", "pin")
FAILS_AFTER = 0.3
FREE_ENTRY_SECONDS = 72 * 3600


@dataclass(frozen=True)
class Recipient:
    """A recipient of a message. `wa_id` None: known by user id only."""

    wa_id: str | None
    user_id: str | None


@dataclass(frozen=True)
class Sent:
    """An accepted message. `kind`: its type, or `voice`. `people`: the recipient, or a group's participants."""

    id: str
    kind: str
    category: str
    people: tuple[Recipient, ...]
    at: float
    group: str | None = None
    tracker: str | None = None
    template_id: str | None = None
    is_free: bool = False
    is_free_entry: bool = False


@dataclass(frozen=True)
class Planned:
    """Statuses of one webhook, which comes `after` seconds after the send; negative: before the send's answer."""

    after: float
    statuses: list[dict[str, Any]]
    contacts: list[dict[str, Any]]

    @property
    def is_early(self) -> bool:
        """Return whether they come before the answer to the send."""
        return self.after < 0


def plan_statuses(sent: Sent, behaviour: Behaviour, pace: float = 1.0) -> Iterator[Planned]:
    """Yield the statuses of an accepted message, in the order of time."""
    steps = STEPS.get(sent.kind, (SENT, DELIVERED, READ)) if behaviour.steps is None else behaviour.steps
    first = next((name for name, _ in steps if name in ("delivered", "read")), None)
    for name, after in steps:
        has_price = sent.kind not in UNPRICED and name in ("sent", first)
        yield _planned(sent, behaviour, name, _later(after, behaviour, pace), has_price=has_price)
    if behaviour.fails_with is not None:
        after = (steps[-1][1] if steps else 0) + FAILS_AFTER
        yield _planned(sent, behaviour, "failed", _later(after, behaviour, pace), has_price=False)


def _later(after: float, behaviour: Behaviour, pace: float) -> float:
    return (after + behaviour.statuses_after) * pace if after >= 0 else after


def _planned(sent: Sent, behaviour: Behaviour, name: str, after: float, *, has_price: bool) -> Planned:
    status: dict[str, Any] = {"id": sent.id, "status": name, "timestamp": str(int(sent.at + max(after, 0)))}
    has_tracker = behaviour.has_tracker and (behaviour.failure_has_tracker or name != "failed")
    if sent.tracker is not None and has_tracker:
        status["biz_opaque_callback_data"] = sent.tracker
    if has_price:
        status["pricing"] = pricing_of(sent)
    if sent.is_free_entry and name != "failed":
        status["conversation"] = _conversation_of(sent, name)
    if sent.template_id is not None:
        status["template_id"] = sent.template_id
    if name == "failed":
        status["errors"] = [error_of(behaviour.fails_with or 131000)]
    people = sent.people if sent.group is None or name in ("delivered", "read", "played") else sent.people[:1]
    return Planned(after, [_addressed(status, sent, name, person) for person in people], _contacts_of(sent))


def pricing_of(sent: Sent) -> dict[str, Any]:
    """Return the pricing of a message, which its `sent` and its first `delivered` or `read` status hold."""
    if sent.is_free_entry:
        return _price("free_entry_point", "referral_conversion")
    if sent.group is not None:
        is_service = sent.category == "service"
        return _price("free_group_customer_service" if is_service else "regular", f"group_{sent.category}")
    return _price("free_customer_service" if sent.is_free else "regular", sent.category)


def _price(kind: str, category: str) -> dict[str, Any]:
    return {"billable": kind == "regular", "pricing_model": "PMP", "type": kind, "category": category}


def _conversation_of(sent: Sent, name: str) -> dict[str, Any]:
    expiry = {"expiration_timestamp": str(int(sent.at + FREE_ENTRY_SECONDS))} if name == "sent" else {}
    return {"id": sent.id.removeprefix("wamid.")[:32], **expiry, "origin": {"type": "referral_conversion"}}


def _addressed(status: dict[str, Any], sent: Sent, name: str, person: Recipient) -> dict[str, Any]:
    """Return a status with the ids of its recipient. It names a participant of a group from `delivered` on."""
    if sent.group is None:
        ids = {"recipient_id": person.wa_id, "recipient_user_id": person.user_id}
    else:
        ids = {"recipient_id": sent.group, "recipient_type": "group"}
        if name in ("delivered", "read", "played"):
            ids |= {"recipient_participant_id": person.wa_id, "recipient_participant_user_id": person.user_id}
    return {**status, **{key: value for key, value in ids.items() if value is not None}}


def _contacts_of(sent: Sent) -> list[dict[str, Any]]:
    """Return `contacts` of a webhook of statuses: ids without a profile, as Meta sends them."""
    ids = [{"wa_id": person.wa_id, "user_id": person.user_id} for person in sent.people]
    return [{key: value for key, value in contact.items() if value is not None} for contact in ids]
