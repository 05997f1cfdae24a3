"""Reads from webhooks which content Meta stops or releases: templates, flows, marketing, messages of an account.

Parts of `apply_refusals`, which takes the locks.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.content_scope import marketing_scope, template_scope
from app.domain.event import NewEvent
from app.domain.meta import scalars
from app.domain.meta.account_state import INITIATED, REPLIES, may_send, restrictions_of
from app.domain.meta.content_state import marketing_is_wanted, template_may_be_sent
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import ErrorClass, ErrorScope, GraphError, errors_of_item
from app.domain.meta.names import names_of
from app.domain.meta.status_update import MAX_WAMID_LENGTH
from app.domain.scope_pause import Refusal
from app.domain.send_outcome import refusal_of
from app.store.engine.one_of import one_of
from app.store.tables.conversations import every_contact_number
from app.store.tables.message_schema import messages
from app.store.tables.messages import messages_with_bodies
from app.store.tables.scopes import read_scopes, scopes_below
from app.store.tables.sending import numbers_of
from app.store.tables.types import chunks
from app.store.transactions.change_scopes import ScopeRefusal
from app.store.transactions.hold_messages import MessageRow, sent_as
from app.store.transactions.touch_conversations import contacts_of

FAILED = "message.status.failed"
_BY_WAMID = messages_with_bodies().where(one_of(messages.c.wamid, "wamids"))
TEMPLATE_STOPPED = Refusal(
    ErrorClass.REQUEST, ErrorScope.TEMPLATE, 132015, "Meta has paused or disabled the template"
)
NO_MARKETING = Refusal(
    ErrorClass.RECIPIENT, ErrorScope.CONTACT, 131050, "the customer has stopped marketing messages of this business"
)


def refusals_of_content(connection: Connection, events: Iterable[NewEvent]) -> list[ScopeRefusal]:
    """Return the refusals of templates, flows and marketing that failures of our own messages stand for."""
    failures = [
        (event, error, wamid)
        for event in events
        for error in _errors(event)
        if rule_in_status(error).holds
        and (wamid := scalars.visible(event.raw.get("id"), MAX_WAMID_LENGTH)) is not None
    ]
    if not failures:
        return []
    sent = _messages(connection, {wamid for _, _, wamid in failures})
    return [
        ScopeRefusal(
            refusal,
            event.phone_number_id or "",
            event.waba_id,
            event.occurred_at,
            sent_as(sent[wamid], event.waba_id),
        )
        for event, error, wamid in failures
        if (refusal := refusal_of(error, rule_in_status(error), timedelta(), is_late=True)) is not None
        and wamid in sent
    ]


def content_changes(
    connection: Connection, now: datetime, events: Sequence[NewEvent]
) -> tuple[list[ScopeRefusal], dict[str, datetime]]:
    """Return the refusals of scopes that webhooks stop, and since when they release others, by the scopes' names.

    The scopes are of templates, of marketing to a customer, and of messages of a restricted account. Of several
    webhooks about one scope the latest counts.
    """
    latest: dict[str, tuple[datetime, Refusal | None]] = {}
    for name, at, refusal in (
        *_templates(events),
        *_marketing(connection, events),
        *_restrictions(now, events),
    ):
        if name not in latest or latest[name][0] <= at:
            latest[name] = at, refusal
    stopped = [ScopeRefusal(refusal, "", None, at, named=name) for name, (at, refusal) in latest.items() if refusal]
    goes_on = {name: at for name, (at, refusal) in latest.items() if refusal is None}
    parts = {part: at for name, at in goes_on.items() for part in scopes_below(connection, name)}
    return stopped, {**goes_on, **parts, **_named_by_numbers(connection, events)}


def _named_by_numbers(connection: Connection, events: Iterable[NewEvent]) -> dict[str, datetime]:
    """Return the paused scopes of released templates whose names have a phone number id in the place of the account.

    They were refused before a webhook named the account of the number.
    """
    named = {}
    for event in events:
        change = template_may_be_sent(event)
        if change is not None and change[2] and event.waba_id is not None:
            for number in numbers_of(connection, event.waba_id):
                named[template_scope(number, *change[:2])] = event.occurred_at
    return {name: named[name] for name in read_scopes(connection, sorted(named))} if named else {}


def _restrictions(now: datetime, events: Iterable[NewEvent]) -> Iterator[tuple[str, datetime, Refusal | None]]:
    """Yield the scopes of messages that Meta restricts or releases. The end of a ban ends restrictions, too."""
    for event in events:
        if (account := event.waba_id) is None:
            continue
        if may_send(event):
            yield from ((f"{prefix}{account}", event.occurred_at, None) for prefix in (INITIATED, REPLIES))
        for prefix, until in restrictions_of(event).items():
            is_over = until is not None and until <= now
            yield f"{prefix}{account}", event.occurred_at, None if is_over else _restricted(prefix, until, now)


def _restricted(prefix: str, until: datetime | None, now: datetime) -> Refusal:
    what = "messages outside the customer service window" if prefix == INITIATED else "replies to customers"
    reason = f"Meta has restricted {what}; see WhatsApp Manager, Account quality"
    if until is None:
        return Refusal(ErrorClass.REQUEST, ErrorScope.WABA, 0, reason)
    return Refusal(ErrorClass.PARKED, ErrorScope.WABA, 0, reason, until - now)


def _templates(events: Iterable[NewEvent]) -> Iterator[tuple[str, datetime, Refusal | None]]:
    for event in events:
        change = template_may_be_sent(event)
        if change is not None and event.waba_id is not None:
            name, language, may_be_sent = change
            scope = template_scope(event.waba_id, name, language)
            yield scope, event.occurred_at, None if may_be_sent else TEMPLATE_STOPPED


def _marketing(connection: Connection, events: Iterable[NewEvent]) -> Iterator[tuple[str, datetime, Refusal | None]]:
    for event in events:
        is_wanted, number = marketing_is_wanted(event), event.phone_number_id
        if is_wanted is not None and number is not None:
            # The pause that the customer ends may be stored under a name from before a link.
            every = every_contact_number(connection, sorted(names_of(event))) if is_wanted else set()
            for contact in sorted(_contacts(connection, event) | every):
                yield marketing_scope(number, contact), event.occurred_at, None if is_wanted else NO_MARKETING


def may_end_a_pause(event: NewEvent) -> bool:
    """Return whether an event releases a template, marketing to a customer, or an account."""
    change = template_may_be_sent(event)
    return (change is not None and change[2]) or marketing_is_wanted(event) is True or may_send(event) is True


def written_to_too_often(connection: Connection, events: Iterable[NewEvent]) -> set[tuple[str, int]]:
    """Return the pairs of a number and a contact for which Meta says that the number writes too often."""
    return {
        (event.phone_number_id, contact)
        for event in events
        if event.phone_number_id is not None
        and any(rule_in_status(error).error_class is ErrorClass.PAIR_THROTTLED for error in _errors(event))
        for contact in _contacts(connection, event)
    }


def _contacts(connection: Connection, event: NewEvent) -> set[int]:
    return set(contacts_of(connection, names_of(event)).values())


def _errors(event: NewEvent) -> list[GraphError]:
    return list(errors_of_item(event.raw)) if event.type == FAILED else []


def _messages(connection: Connection, wamids: Iterable[str]) -> dict[str, MessageRow]:
    return {
        row.wamid: row for chunk in chunks(sorted(wamids)) for row in connection.execute(_BY_WAMID, {"wamids": chunk})
    }
