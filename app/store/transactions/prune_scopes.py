"""Deletes pauses that hold nothing back any more, and marketing preferences of customers that are gone.

A customer's wish has no end of its own. It stays for as long as the customer has a conversation, which is pruned with
its messages; Meta keeps the wish all the same, refuses marketing to the customer, and reports that again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, select, update

from app.domain.content_scope import MARKETING, contact_of_scope
from app.store.tables.message_schema import conversations
from app.store.tables.sending_schema import send_scopes
from app.store.transactions.prune import STEP_ROWS

MAX_REFUSAL_DELAY = timedelta(days=7)
"""How late a refusal may still arrive: Meta repeats webhooks for this long. Until then the end of a pause is kept."""

_TABLE = send_scopes.c
_HAS_CONVERSATION = exists().where(conversations.c.contact == _TABLE.contact).label("has_conversation")
_OF_CUSTOMERS = (
    select(_TABLE.name, _TABLE.contact, _TABLE.since, _TABLE.until, _HAS_CONVERSATION)
    .where(_TABLE.contact > bindparam("after"))
    .order_by(_TABLE.contact, _TABLE.name)
    .limit(STEP_ROWS)
)
_IS_OF_CUSTOMER = _TABLE.name.startswith(MARKETING)
_FILL = update(send_scopes).where(_TABLE.name == bindparam("scope")).values(contact=bindparam("of_contact"))


@dataclass(frozen=True)
class Ages:
    """Pauses that ended before `ended` go, and wishes of before `wished` if their customers are gone."""

    ended: datetime
    wished: datetime


@dataclass(frozen=True)
class ScopePlan:
    """The pauses that a step deletes, and the contact after which the next step continues; None: stop here.

    `without_contact`: pauses of marketing whose contact older code has not stored.
    """

    names: list[str]
    next: int | None
    without_contact: list[str]


def plan_scopes(connection: Connection, ages: Ages, after: int) -> ScopePlan:
    """Choose the next pauses of marketing to customers; with the first ones all others that were over in time.

    The last contact of a page may have more: it is on the next page again, unless it alone fills the page.
    """
    rows = connection.execute(_OF_CUSTOMERS, {"after": after}).all()
    names = [row.name for row in rows if _is_old(row, ages)]
    ended, without_contact = ([], []) if after else _general(connection, ages)
    is_last, last = len(rows) < STEP_ROWS, rows[-1].contact if rows else None
    following = None if is_last or last is None else last if rows[0].contact == last else last - 1
    return ScopePlan(names + ended, following, without_contact)


def prune_scopes(connection: Connection, ages: Ages, plan: ScopePlan) -> int:
    """Delete those of the planned pauses that are still as old, and return how many there were.

    The contacts that are missing are filled in, so that the next run finds them.
    """
    is_over = (_TABLE.until < ages.ended) | (_TABLE.until.is_(None) & (_TABLE.since < ages.wished))
    chosen = _TABLE.name.in_(plan.without_contact) | (_TABLE.name.in_(plan.names) & is_over)
    query = select(_TABLE.name).where(chosen).order_by(_TABLE.name)
    locked = set(connection.execute(query.with_for_update()).scalars())
    filled = [
        {"scope": name, "of_contact": contact_of_scope(name)} for name in plan.without_contact if name in locked
    ]
    if filled:
        connection.execute(_FILL, filled)
    return connection.execute(delete(send_scopes).where(_TABLE.name.in_(locked - set(plan.without_contact)))).rowcount


def _is_old(row: Row[*tuple[Any, ...]], ages: Ages) -> bool:
    _, _, since, until, has_conversation = row
    return bool(until < ages.ended) if until is not None else since < ages.wished and not has_conversation


def _general(connection: Connection, ages: Ages) -> tuple[list[str], list[str]]:
    """Return some pauses of templates, flows and others that were over in time, and some without their contact."""
    is_over = (_TABLE.trips == 0) & (_TABLE.until < ages.ended)
    ended, without_contact = (
        list(
            connection.execute(
                select(_TABLE.name).where(_TABLE.contact.is_(None), condition).limit(STEP_ROWS)
            ).scalars()
        )
        for condition in (is_over & ~_IS_OF_CUSTOMER, _IS_OF_CUSTOMER)
    )
    return ended, without_contact
