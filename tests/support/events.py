"""Builders of events, and functions that insert them directly into the store's tables."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from app.domain.destination import queue_of_destination
from app.domain.event import Contact, NewEvent, Origin
from app.store import Store
from app.store.tables.events import document_of, key_of
from app.store.tables.queues import ensure_queues
from app.store.tables.schema import deliveries, events, jobs
from tests.support.store import NOON


def event_id(name: object) -> str:
    """Return the id of the event with this name in a test."""
    return "evt_" + hashlib.sha256(str(name).encode()).hexdigest()[:32]


def new_event(
    name: object = "hi",
    *,
    kind: str = "message.text",
    wa_id: str | None = "4915112345678",
    user_id: str | None = None,
    raw: Any = None,
    contacts: Sequence[Any] = (),
) -> NewEvent:
    """Return an event that happened at noon. `contacts`: Meta's entries of its customer."""
    item = {"id": f"wamid.{name}", "type": "text", "text": {"body": str(name)}} if raw is None else raw
    return NewEvent(
        id=event_id(name),
        type=kind,
        occurred_at=NOON,
        waba_id="1234567890",
        phone_number_id="9876543210",
        contact=Contact(wa_id=wa_id, user_id=user_id),
        data={"text": str(name)},
        raw=item,
        origin=Origin("whatsapp_business_account", {"id": "1234567890"}, "messages", {}, list(contacts), "messages"),
    )


def put_events(
    store: Store, *new: NewEvent, received_at: datetime = NOON, receipt: int = 1, foreign: bool = False
) -> list[int]:
    """Insert the events; return their sequences."""

    def row(event: NewEvent) -> dict[str, Any]:
        return {
            "event_id": key_of(event.id),
            "type": event.type,
            "occurred_at": event.occurred_at,
            "received_at": received_at,
            "receipt": receipt,
            "waba_id": event.waba_id,
            "phone_number_id": event.phone_number_id,
            "wa_id": event.contact.wa_id,
            "user_id": event.contact.user_id,
            "is_foreign": foreign,
            "document": document_of(event),
        }

    query = insert(events).returning(events.c.id)
    return store.write(lambda c: [c.execute(query, row(event)).scalar_one() for event in new], "events")


def put_queue(store: Store, name: str) -> None:
    """Insert a queue unless it exists. A worker that starts meanwhile may do the same."""
    store.write(lambda c: ensure_queues(c, [name]))


def put_delivery(
    store: Store,
    event: int,
    *,
    destination: str = "crm",
    state: str = "open",
    order_key: int | None = None,
    due: bool = True,
) -> int:
    """Insert a delivery of the event with this sequence, and its job if it is open; return its number."""
    put_queue(store, queue_of_destination(destination))
    row = {"event": event, "destination": destination, "state": state, "order_key": order_key}
    made = insert(deliveries).values(**row, updated_at=NOON, attempts=b"[]").returning(deliveries.c.id)
    number: int = store.write(lambda c: c.execute(made).scalar_one())
    if state == "open":
        job = {"queue": queue_of_destination(destination), "subject": number, "order_key": order_key}
        waiting = {"due_at": NOON if due else None, "attempts": 0, "claims": 0}
        store.write(lambda c: c.execute(insert(jobs).values(**job, **waiting)))
    return number
