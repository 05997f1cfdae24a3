"""How fast numbers and their customers are written to, and the accounts of numbers, as rows and back.

The rows of a number and of its customers are read and written with the lock on the number's queue.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, text, union_all

from app.domain.pacing import NumberPace, PairPace
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import contact_links
from app.store.tables.sending_schema import send_numbers, send_pairs
from app.store.tables.types import UtcDateTime, chunks

_TIMES = [bindparam(name, type_=UtcDateTime) for name in ("full_at", "slowed_at", "paused_until")]
_NUMBER = select(send_numbers).where(send_numbers.c.phone_number_id == bindparam("number"))
_PUT_NUMBER = text(
    "INSERT INTO send_numbers (phone_number_id, full_at, share, slowed_at)"
    " VALUES (:number, :full_at, :share, :slowed_at)"
    " ON CONFLICT (phone_number_id) DO UPDATE SET full_at = excluded.full_at, share = excluded.share,"
    " slowed_at = excluded.slowed_at"
).bindparams(*_TIMES[:2])
_ACCOUNTS = select(send_numbers.c.phone_number_id, send_numbers.c.waba_id).where(
    one_of(send_numbers.c.phone_number_id, "numbers")
)
_PUT_ACCOUNT = text(
    "INSERT INTO send_numbers (phone_number_id, share, waba_id) VALUES (:number, 1, :account)"
    " ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id"
)
_OF_NUMBER = send_pairs.c.phone_number_id == bindparam("number")
_PACE = send_pairs.c.contact.label("sent_to"), send_pairs.c.full_at, send_pairs.c.refusals, send_pairs.c.paused_until
_PAIRS = union_all(
    select(send_pairs.c.contact, *_PACE).where(_OF_NUMBER, one_of(send_pairs.c.contact, "contacts")),
    select(contact_links.c.contact, *_PACE)
    .join(send_pairs, send_pairs.c.contact == contact_links.c.former)
    .where(
        _OF_NUMBER, contact_links.c.former != contact_links.c.contact, one_of(contact_links.c.contact, "contacts")
    ),
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
    """Return the paces of these customers of a number; of those that were never written to a new one.

    What was sent to a name of a customer before it was linked counts too.
    """
    ordered = sorted(set(contacts))
    rows = [
        row for chunk in chunks(ordered) for row in connection.execute(_PAIRS, {"number": number, "contacts": chunk})
    ]
    paces: dict[int, PairPace] = {}
    for row in sorted(rows, key=lambda row: row.sent_to != row.contact):
        pace = PairPace(row.full_at, row.refusals, row.paused_until)
        paces[row.contact] = paces[row.contact].joined(pace) if row.contact in paces else pace
    return {contact: paces.get(contact, PairPace()) for contact in ordered}


def put_pairs(connection: Connection, number: str, pairs: Mapping[int, PairPace]) -> None:
    """Store the paces of these customers of a number."""
    rows = [{"phone_number_id": number, "contact": contact, **vars(pair)} for contact, pair in sorted(pairs.items())]
    _PUT_PAIRS.execute(connection, rows)
