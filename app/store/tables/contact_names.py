"""The names of a contact in its events: two of each event are columns, further ones are rows of `event_names`.

A name leads to the events that have it, and these lead to the contact's other names. So do the links of names: an
answer of Meta's may link a phone number to a user id that no event has beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Boolean, ColumnElement, Connection, and_, false, func, not_, or_, select

from app.domain.erasure import ContactName, is_phone
from app.domain.meta.names import CHANGES
from app.store.tables.conversations import every_name
from app.store.tables.number_changes import own_changes
from app.store.tables.schema import event_names, events

MAX_NAMES = 50

_NAMES_NO_USER = events.c.user_id.is_(None) & events.c.type.not_in(CHANGES)
"""A number that a customer has given up may be another's now: the event about that is not the next user's. Whose it
is, `own_changes` finds out."""


def find_names(connection: Connection, given: str) -> list[ContactName]:
    """Return the given name of a contact and all others, each after the one that led to it; `MAX_NAMES` at most.

    A phone number beside a user id may have belonged to another person before. Beside the given phone number it is
    another spelling.
    """
    found = {given: ContactName(given)}
    to_follow = [found[given]]
    while to_follow:
        _follow(connection, found, to_follow)
        to_follow = _add_changes(connection, found)
    return list(found.values())[:MAX_NAMES]


def _follow(connection: Connection, found: dict[str, ContactName], to_follow: list[ContactName]) -> None:
    """Add the names to which these lead, and those to which these lead in turn."""
    while to_follow and len(found) < MAX_NAMES:
        name = to_follow.pop(0)
        for text in sorted(_names_beside(connection, name) - found.keys(), key=is_phone, reverse=True):
            is_spelling = is_phone(name.text) and not name.without_user_id
            found[text] = ContactName(text, without_user_id=is_phone(text) and not is_spelling)
            to_follow.append(found[text])


def _add_changes(connection: Connection, found: dict[str, ContactName]) -> list[ContactName]:
    """Add what the contact's own changes of its number say. Return the names that are new."""
    numbers = [name.text for name in found.values() if name.without_user_id]
    by_name = own_changes(connection, numbers, found.keys())
    new = [] if len(found) >= MAX_NAMES else sorted(by_name.keys() - found.keys())
    found.update((text, ContactName(text, without_user_id=True)) for text in new)
    for text in by_name.keys() & set(numbers + new):
        found[text] = replace(found[text], changes=tuple(sorted(by_name[text])))
    return [found[text] for text in new]


def conditions_of(name: ContactName) -> list[ColumnElement[bool]]:
    """Return conditions for the events of this name. Each uses an index; an event may meet several."""
    alone = [_NAMES_NO_USER | events.c.id.in_(name.changes)] if name.without_user_id else []
    return [
        and_(has, *alone) for has in (events.c.wa_id == name.text, events.c.user_id == name.text, _has([name.text]))
    ]


def belongs_to(names: Sequence[ContactName]) -> ColumnElement[bool]:
    """Return the condition that an event has one of these names. It is never NULL."""
    sure = [name.text for name in names if not name.without_user_id]
    alone = [name.text for name in names if name.without_user_id]
    changes = [event for name in names for event in name.changes]
    belongs = or_(_has_any(sure), and_(_NAMES_NO_USER, _has_any(alone)), events.c.id.in_(changes))
    return func.coalesce(belongs, false(), type_=Boolean)


def does_not_belong_to(names: Sequence[ContactName]) -> ColumnElement[bool]:
    """Return the condition that an event has none of these names."""
    return not_(belongs_to(names))


def _has_any(texts: Sequence[str]) -> ColumnElement[bool]:
    return or_(events.c.wa_id.in_(texts), events.c.user_id.in_(texts), _has(texts))


def _has(texts: Iterable[str]) -> ColumnElement[bool]:
    return events.c.id.in_(select(event_names.c.event).where(event_names.c.name.in_(texts)))


def _names_beside(connection: Connection, name: ContactName) -> set[str]:
    texts: set[str | None] = set()
    for condition in conditions_of(name):
        columns = select(events.c.wa_id, events.c.user_id).where(condition).distinct().limit(MAX_NAMES)
        further = select(event_names.c.name).join(events, events.c.id == event_names.c.event).where(condition)
        texts.update(text for row in connection.execute(columns) for text in row)
        texts.update(connection.execute(further.distinct().limit(MAX_NAMES)).scalars())
    if not name.without_user_id:
        texts.update(every_name(connection, name.text))
    return {text for text in texts if text is not None}
