"""Splits a receipt into events: every update of its batch, however odd. Pure: bytes in, values out."""

from datetime import datetime
from typing import Any

from app.domain.event import NewEvent, Origin
from app.domain.meta import scalars
from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.contact import contact_of
from app.domain.meta.event_data import data_of
from app.domain.meta.event_id import event_id
from app.domain.meta.event_types import unknown
from app.domain.meta.items import Item, walk
from app.domain.meta.webhook_fields import Kind, kind_of_item, kind_of_value

__all__ = ["Unreadable", "split"]


def split(body: bytes, *, sha256: bytes, received_at: datetime) -> list[NewEvent]:
    """Everything that happened, in the order in which it stands there; `sha256` is of the bytes.

    Raises Unreadable if they are no JSON object. Updates that came in it twice come out twice, under one id.
    """
    return [_event(found, sha256, received_at) for found in walk(read_body(body))]


def _event(found: Item, sha256: bytes, received_at: datetime) -> NewEvent:
    scope, type_ = found.scope, _type(found)
    contact, own_contact = contact_of(found)
    when = scalars.own_moment(found.raw) or scalars.moment(scope.entry.get("time"))
    return NewEvent(
        id=event_id(found, contact, when, sha256),
        type=type_,
        occurred_at=when or received_at,
        waba_id=scope.waba_id,
        phone_number_id=scope.phone_number_id,
        contact=contact,
        data=data_of(found, type_),
        raw=found.raw,
        origin=_origin(found, own_contact),
    )


def _type(found: Item) -> str:
    field = found.scope.field_name
    kind = _kind(found, field)
    known = kind if isinstance(kind, str) else kind(found.raw)
    return known or f"unknown.{scalars.word(field) or 'envelope'}"


def _kind(found: Item, field: str | None) -> Kind:
    if not isinstance(found.raw, dict):
        return unknown
    if found.path == "value":
        return kind_of_value(field)
    is_elsewhere = bool(found.ancestors) and field != "history"
    return kind_of_item(field, found.key) if found.is_listed and not is_elsewhere else unknown


def _origin(found: Item, own_contact: dict[str, Any] | None) -> Origin:
    scope, in_value = found.scope, found.path not in ("value", "change", "entry", "body")
    return Origin(
        object=scope.object,
        entry=scope.entry,
        field=scope.field,
        value=scope.value if in_value else {},
        contacts=[own_contact] if in_value and own_contact is not None else [],
        path=found.path,
        ancestors=list(found.ancestors),
    )
