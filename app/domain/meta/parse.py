"""Split a receipt into events: one for every update of its batch, however odd. Pure: bytes in, values out."""

from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from app.domain.event import Contact, NewEvent, Origin
from app.domain.meta import scalars
from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.contact import Described, contacts_of
from app.domain.meta.event_data import data_of
from app.domain.meta.event_id import event_id
from app.domain.meta.event_types import unknown, unknown_type
from app.domain.meta.items import Item, walk
from app.domain.meta.webhook_fields import TypeRule, type_of_listed, type_of_value

__all__ = ["Unreadable", "plain_forms", "split"]


def split(body: bytes, *, sha256: bytes, received_at: datetime) -> list[NewEvent]:
    """Return an event for each item of the body, in its order; `sha256` is the digest of the bytes.

    Raise Unreadable if the bytes are not a JSON object. An update that is twice in the body gives two events with
    one id.
    """
    events: list[NewEvent] = []
    for _, of_value in groupby(list(walk(read_body(body))), key=lambda item: id(item.scope)):
        items = list(of_value)
        customers = contacts_of(items)
        events += [
            _event(item, customer, sha256, received_at) for item, customer in zip(items, customers, strict=True)
        ]
    return events


def plain_forms(event: NewEvent, received_at: datetime) -> tuple[NewEvent, NewEvent]:
    """Return the event with less read out of its item, then with nothing, for a database that refuses what was read.

    The first one still has its account, number and contact, so that it is erased with its customer.
    """
    plain = replace(event, type=unknown_type(event.origin.field), data={})
    return plain, replace(plain, occurred_at=received_at, waba_id=None, phone_number_id=None, contact=Contact())


def _event(item: Item, described: Described, sha256: bytes, received_at: datetime) -> NewEvent:
    scope, type_ = item.scope, _type(item)
    contact, contact_entry = described
    occurred_at = scalars.item_timestamp(item.raw) or scalars.timestamp(scope.entry.get("time"))
    return NewEvent(
        id=event_id(item, contact, occurred_at, sha256),
        type=type_,
        occurred_at=occurred_at or received_at,
        waba_id=scope.waba_id,
        phone_number_id=scope.phone_number_id,
        contact=contact,
        data=data_of(item, type_),
        raw=item.raw,
        origin=_origin(item, contact_entry),
    )


def _type(item: Item) -> str:
    field = item.scope.field_name
    rule = _type_rule(item, field)
    known = rule if isinstance(rule, str) else rule(item.raw)
    return known or unknown_type(field)


def _type_rule(item: Item, field: str | None) -> TypeRule:
    if not isinstance(item.raw, dict):
        return unknown
    if item.path == "value":
        return type_of_value(field)
    is_nested_outside_history = bool(item.ancestors) and field != "history"
    return type_of_listed(field, item.key) if item.is_listed and not is_nested_outside_history else unknown


def _origin(item: Item, contact_entry: dict[str, Any] | None) -> Origin:
    scope, is_in_value = item.scope, item.path not in ("value", "change", "entry", "body")
    return Origin(
        object=scope.object,
        entry=scope.entry,
        field=scope.field,
        value=scope.value if is_in_value else {},
        contacts=[contact_entry] if is_in_value and contact_entry is not None else [],
        path=item.path,
        ancestors=list(item.ancestors),
    )
