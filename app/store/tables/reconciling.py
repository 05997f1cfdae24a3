"""Finds the next message to ask Meta about, in small steps along the primary key; stores each round's cursor."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select, update

from app.domain.clock import CLOCK_TOLERANCE
from app.domain.reconciling import ONLY_SENT, QUIET, TOO_OLD, Candidate, Round, RoundStep, is_younger
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import messages, reconcile_cursors

STEP_MESSAGES = 1000

_AFTER = select(reconcile_cursors.c.after).where(reconcile_cursors.c.round == bindparam("number"))
_STEP = (
    select(
        messages.c.id,
        messages.c.phone_number_id,
        messages.c.type,
        messages.c.status,
        messages.c.wamid,
        messages.c.created_at,
        messages.c.updated_at,
    )
    .where(messages.c.id > bindparam("after"))
    .order_by(messages.c.id)
    .limit(STEP_MESSAGES)
    .subquery()
)
_LAST = select(func.max(_STEP.c.id))
_IS_YOUNG = (_STEP.c.created_at > bindparam("young_from")) & (_STEP.c.created_at <= bindparam("young_until"))
_MAY_BE_ASKED = (
    one_of(_STEP.c.status, "statuses")
    & one_of(_STEP.c.phone_number_id, "numbers")
    & _STEP.c.type.not_in(ONLY_SENT)
    & _STEP.c.wamid.is_not(None)
    & (_STEP.c.created_at > bindparam("oldest"))
)
_FIRST = select(_STEP).where(or_(_IS_YOUNG, _MAY_BE_ASKED)).order_by(_STEP.c.id).limit(1)
_MOVE = (
    update(reconcile_cursors)
    .where(reconcile_cursors.c.round == bindparam("number"), reconcile_cursors.c.after < bindparam("row_id"))
    .values(after=bindparam("row_id"))
)


def cursor_of_round(connection: Connection, number: int) -> int:
    """Return a round's cursor: the row up to which it has looked at all messages."""
    after: int = connection.execute(_AFTER, {"number": number}).scalar_one()
    return after


def find_candidate(
    connection: Connection, now: datetime, round_: Round, numbers: Collection[str]
) -> tuple[RoundStep, int | None]:
    """Return the result of a round's next step, and the row to which its cursor moves; None if it stays.

    A young message, and one whose status is young, ends the round for now: those behind it are younger.
    """
    after = {"after": cursor_of_round(connection, round_.number)}
    values = {
        **after,
        "young_from": now - round_.age,
        "young_until": now + CLOCK_TOLERANCE,
        "oldest": now - TOO_OLD,
        "statuses": [status.value for status in round_.statuses],
        "numbers": sorted(numbers),
    }
    row = connection.execute(_FIRST, values).first()
    if row is None:
        last = connection.execute(_LAST, after).scalar_one()
        return RoundStep(is_end=last is None), last
    moved = row.id - 1 if row.id - 1 > after["after"] else None
    if is_younger(row.created_at, round_.age, now) or is_younger(row.updated_at, QUIET, now):
        return RoundStep(is_end=True), moved
    return RoundStep(Candidate(row.id, row.phone_number_id, row.wamid)), moved


def move_cursor(connection: Connection, number: int, row_id: int) -> None:
    """Move a round's cursor to this row. It never moves back."""
    connection.execute(_MOVE, {"number": number, "row_id": row_id})
