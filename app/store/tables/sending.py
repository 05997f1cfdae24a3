"""What is paused and how fast numbers and customers are written to, as rows and back.

The rows of a number and of its customers are read and written with the lock on the number's queue.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from app.domain.content_scope import contact_of_scope
from app.domain.meta.graph_errors import ErrorClass
from app.domain.pacing import NumberPace, PairPace
from app.domain.scope_pause import ScopePause
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.tables.sending_schema import send_numbers, send_pairs, send_scopes
from app.store.tables.types import EPOCH, UtcDateTime, chunks, printable_excerpt

_TIMES = [bindparam(name, type_=UtcDateTime) for name in ("full_at", "slowed_at", "paused_until")]
_SCOPE_TIMES = [bindparam(name, type_=UtcDateTime) for name in ("since", "until", "refused_at")]
_SCOPES = select(send_scopes).where(send_scopes.c.name.in_(bindparam("names", expanding=True)))
_PAUSED = _SCOPES.where(send_scopes.c.trips > 0)
_LOCK_SCOPES = _SCOPES.order_by(send_scopes.c.name).with_for_update()
_PUT_SCOPE = text(
    "INSERT INTO send_scopes (name, error_class, code, reason, since, until, trips, is_told, told_at, contact)"
    " VALUES (:name, :error_class, :code, :reason, :since, :until, :trips, :is_logged, :refused_at, :contact)"
    " ON CONFLICT (name) DO UPDATE SET error_class = excluded.error_class, code = excluded.code,"
    " reason = excluded.reason, since = excluded.since, until = excluded.until, trips = excluded.trips,"
    " is_told = excluded.is_told, told_at = excluded.told_at, contact = excluded.contact"
).bindparams(*_SCOPE_TIMES)
_ADD_SCOPE = text(
    "INSERT INTO send_scopes (name, error_class, code, reason, since, until, trips, is_told, contact)"
    " VALUES (:name, :error_class, 0, :reason, :since, :until, 0, false, :contact) ON CONFLICT (name) DO NOTHING"
).bindparams(*_SCOPE_TIMES[:2])
_NUMBER = select(send_numbers).where(send_numbers.c.phone_number_id == bindparam("number"))
_PUT_NUMBER = text(
    "INSERT INTO send_numbers (phone_number_id, full_at, share, slowed_at)"
    " VALUES (:number, :full_at, :share, :slowed_at)"
    " ON CONFLICT (phone_number_id) DO UPDATE SET full_at = excluded.full_at, share = excluded.share,"
    " slowed_at = excluded.slowed_at"
).bindparams(*_TIMES[:2])
_ACCOUNTS = select(send_numbers.c.phone_number_id, send_numbers.c.waba_id).where(
    send_numbers.c.phone_number_id.in_(bindparam("numbers", expanding=True))
)
_PUT_ACCOUNT = text(
    "INSERT INTO send_numbers (phone_number_id, share, waba_id) VALUES (:number, 1, :account)"
    " ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id"
)
_PAIRS = select(send_pairs).where(
    send_pairs.c.phone_number_id == bindparam("number"),
    send_pairs.c.contact.in_(bindparam("contacts", expanding=True)),
)
_PUT_PAIRS = BulkUpsert(
    send_pairs,
    "phone_number_id",
    "contact",
    "full_at",
    "refusals",
    "paused_until",
    on_conflict="ON CONFLICT (phone_number_id, contact) DO UPDATE SET full_at = excluded.full_at,"
    " refusals = excluded.refusals, paused_until = excluded.paused_until",
)


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
    columns = row.since, row.until, row.trips, row.is_told, row.told_at
    return ScopePause(row.name, error_class, row.code, row.reason, *columns)


def account_of(connection: Connection, number: str) -> str | None:
    """Return the account of a number, if a webhook has named it."""
    return read_accounts(connection, [number]).get(number)


def read_accounts(connection: Connection, numbers: Sequence[str]) -> dict[str, str]:
    """Return the accounts of those of these numbers whose account a webhook has named."""
    found = connection.execute(_ACCOUNTS, {"numbers": numbers})
    return {row.phone_number_id: row.waba_id for row in found if row.waba_id is not None}


def put_accounts(connection: Connection, accounts: Mapping[str, str]) -> None:
    """Store the accounts of these numbers."""
    for number in sorted(accounts):
        connection.execute(_PUT_ACCOUNT, {"number": number, "account": accounts[number]})


def numbers_of(connection: Connection, account: str) -> Sequence[str]:
    """Return the numbers that belong to an account, and those whose account no webhook has named."""
    is_of_account = send_numbers.c.waba_id.is_(None) | (send_numbers.c.waba_id == account)
    return connection.execute(select(send_numbers.c.phone_number_id).where(is_of_account)).scalars().all()


def read_number(connection: Connection, number: str) -> NumberPace:
    """Return the pace of a number."""
    row = connection.execute(_NUMBER, {"number": number}).one_or_none()
    return NumberPace() if row is None else NumberPace(row.full_at, row.share, row.slowed_at)


def put_number(connection: Connection, number: str, pace: NumberPace) -> None:
    """Store the pace of a number."""
    connection.execute(_PUT_NUMBER, {"number": number, **vars(pace)})


def read_pairs(connection: Connection, number: str, contacts: Iterable[int]) -> dict[int, PairPace]:
    """Return the paces of these customers of a number; of those that were never written to a new one."""
    ordered = sorted(set(contacts))
    stored = {
        row.contact: PairPace(row.full_at, row.refusals, row.paused_until)
        for chunk in chunks(ordered)
        for row in connection.execute(_PAIRS, {"number": number, "contacts": chunk})
    }
    return {contact: stored.get(contact, PairPace()) for contact in ordered}


def put_pairs(connection: Connection, number: str, pairs: Mapping[int, PairPace]) -> None:
    """Store the paces of these customers of a number."""
    rows = [{"phone_number_id": number, "contact": contact, **vars(pair)} for contact, pair in sorted(pairs.items())]
    _PUT_PAIRS.execute(connection, rows)
