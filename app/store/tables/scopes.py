"""The scopes that are or were paused, as rows and back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from app.domain.content_scope import contact_of_scope
from app.domain.meta.graph_errors import ErrorClass
from app.domain.scope_pause import ScopePause
from app.store.engine.one_of import one_of
from app.store.tables.sending_schema import send_scopes
from app.store.tables.types import EPOCH, UtcDateTime, printable_excerpt

_TIMES = [bindparam(name, type_=UtcDateTime) for name in ("since", "until", "refused_at")]
_SCOPES = select(send_scopes).where(one_of(send_scopes.c.name, "names"))
_PAUSED = _SCOPES.where(send_scopes.c.trips > 0)
_LOCK_SCOPES = _SCOPES.order_by(send_scopes.c.name).with_for_update()
_PUT_SCOPE = text(
    "INSERT INTO send_scopes"
    " (name, error_class, code, reason, since, until, trips, is_told, told_at, contact, steps, last_trips)"
    " VALUES (:name, :error_class, :code, :reason, :since, :until, :trips, :is_logged, :refused_at, :contact,"
    " :steps, :last_trips)"
    " ON CONFLICT (name) DO UPDATE SET error_class = excluded.error_class, code = excluded.code,"
    " reason = excluded.reason, since = excluded.since, until = excluded.until, trips = excluded.trips,"
    " is_told = excluded.is_told, told_at = excluded.told_at, contact = excluded.contact, steps = excluded.steps,"
    " last_trips = excluded.last_trips"
).bindparams(*_TIMES)
_ADD_SCOPE = text(
    "INSERT INTO send_scopes (name, error_class, code, reason, since, until, trips, is_told, contact)"
    " VALUES (:name, :error_class, 0, :reason, :since, :until, 0, false, :contact) ON CONFLICT (name) DO NOTHING"
).bindparams(*_TIMES[:2])


def read_scopes(connection: Connection, names: Sequence[str]) -> dict[str, ScopePause]:
    """Return those of these scopes that are paused."""
    return {row.name: pause_of(row) for row in connection.execute(_PAUSED, {"names": names})}


def lock_scopes(connection: Connection, names: Sequence[str]) -> dict[str, ScopePause]:
    """Lock those of these scopes that are or were paused, in the order of their names, and return their pauses."""
    return {row.name: pause_of(row) for row in connection.execute(_LOCK_SCOPES, {"names": names})}


def scopes_below(connection: Connection, name: str) -> list[str]:
    """Return the paused scopes that are parts of this one: their names begin with its name and a colon."""
    contact = contact_of_scope(name)
    if contact is None:
        return []
    of_contact = select(send_scopes.c.name).where(send_scopes.c.contact == contact, send_scopes.c.trips > 0)
    return [part for part in connection.execute(of_contact).scalars() if part.startswith(f"{name}:")]


def ensure_scope(connection: Connection, name: str) -> None:
    """Add the row of a scope that was never paused, so that it can be locked in the order of names."""
    never = {"error_class": ErrorClass.OTHER.value, "reason": "", "since": EPOCH, "until": EPOCH}
    connection.execute(_ADD_SCOPE, {**never, "name": name, "contact": contact_of_scope(name)})


def put_scope(connection: Connection, pause: ScopePause) -> None:
    """Pause a scope, or change or end its pause."""
    values = {"error_class": pause.error_class.value, "reason": printable_excerpt(pause.reason)}
    connection.execute(_PUT_SCOPE, {**vars(pause), **values, "contact": contact_of_scope(pause.name)})


def pause_of(row: Row[*tuple[Any, ...]]) -> ScopePause:
    """Return the pause that a row of the table holds."""
    error_class = ErrorClass(row.error_class)
    columns = row.since, row.until, row.trips, row.is_told, row.told_at, row.steps, row.last_trips
    return ScopePause(row.name, error_class, row.code, row.reason, *columns)
