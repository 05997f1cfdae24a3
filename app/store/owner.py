"""The owner of a database, recorded in one row. Another owner is refused; an upgrade records the owner."""

from sqlalchemy import Connection, inspect, select, update

from app.domain.database_identity import Identity, Owner, Refusal, refusal, refusal_foreign, refusal_unmarked
from app.store.engine.errors import StoreNotOurs, StoreUnavailable
from app.store.tables.schema import database_identity, events, metadata

RECENT_EVENTS = 1000


def known_identity(connection: Connection, owner: Owner | None) -> Identity:
    """Return the identity of the database. Raise `StoreNotOurs` if this owner may not use it."""
    identity = _identity(connection)
    if identity is None:
        raise StoreUnavailable("the schema is older than this code; run `flask wats db upgrade`")
    _raise(None if owner is None else refusal(identity, owner))
    return identity


def refuse_other_owner(connection: Connection, owner: Owner) -> None:
    """Raise `StoreNotOurs` if this owner may not upgrade the database, which may have no recorded owner yet."""
    identity = _identity(connection)
    if identity is None or identity.mode is None:
        _raise(refusal_unmarked(owner, _recent_accounts(connection)))
    else:
        _raise(refusal(identity, owner))


def refuse_foreign_tables(connection: Connection) -> None:
    """Raise `StoreNotOurs` if a database without a schema has tables that a migration would make."""
    _raise(refusal_foreign(metadata.tables.keys() & set(inspect(connection).get_table_names())))


def record_owner(connection: Connection, owner: Owner) -> str | None:
    """Record the owner of the database. Return the name of the other profile that has used it before, if one has.

    The database's account stays, unless the operator hands it over.
    """
    before = _identity(connection)
    if before is None:  # newer code keeps its identity elsewhere
        return None
    account = owner.account if before.account is None or owner.adopts else before.account
    if (before.mode, before.account, before.profile) != (owner.mode, account, owner.profile):
        row = {"mode": owner.mode, "account": account, "profile": owner.profile}
        connection.execute(update(database_identity).values(row))
    return before.profile if before.profile != owner.profile else None


def _raise(refused: Refusal | None) -> None:
    if refused is not None:
        raise StoreNotOurs(refused)


def _identity(connection: Connection) -> Identity | None:
    """Return the row; None if the schema is from before databases had an identity."""
    if not inspect(connection).has_table(database_identity.name):
        return None
    row = connection.execute(select(database_identity)).one()
    return Identity(row.id, row.mode, row.account, row.profile, row.has_bare_cursors)


def _recent_accounts(connection: Connection) -> set[str]:
    """Return the accounts of the newest events."""
    if not inspect(connection).has_table(events.name):
        return set()
    newest = select(events.c.waba_id).order_by(events.c.id.desc()).limit(RECENT_EVENTS).subquery()
    return set(connection.execute(select(newest.c.waba_id).where(newest.c.waba_id.is_not(None)).distinct()).scalars())
