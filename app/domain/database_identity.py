"""The identity of a database: what it records about itself, and which gateway may use it.

One database has many names (`localhost` or 127.0.0.1, a hard link, a pooler), so that its name proves nothing.
"""

from dataclasses import dataclass

OTHER_MODE = "the database belongs to another mode"
OTHER_ACCOUNT = "the database belongs to another account"
UNMARKED = "the database does not say whose it is"
FOREIGN_TABLES = "the database has tables of another program"
ADOPT = "`flask wats db upgrade --adopt`"


@dataclass(frozen=True)
class Owner:
    """The gateway that opens a database: its mode, its account, and all accounts whose database it may use.

    `accounts` is None in a mode without customers, which may use any. `claims`: it may take a database without a
    recorded owner, from older code. `adopts`: an operator has said that such a database, or one of another account,
    is this gateway's.
    """

    mode: str
    account: str
    accounts: tuple[str, ...] | None
    profile: str
    claims: bool
    adopts: bool = False


@dataclass(frozen=True)
class Identity:
    """A database's record of itself: a random id, and its mode, account and profile (None: not yet).

    `has_bare_cursors`: cursors without this id were handed out, by code that knew no ids.
    """

    id: str
    mode: str | None
    account: str | None
    profile: str | None
    has_bare_cursors: bool


@dataclass(frozen=True)
class Refusal:
    """Why a database is not used: a stable code, a reason that a stranger may read, and the operator's cure."""

    code: str
    reason: str
    cure: str


def refusal(identity: Identity, owner: Owner) -> Refusal | None:
    """Return why this gateway may not use the database; None if it may."""
    if identity.mode not in (None, owner.mode):
        code = f"{identity.mode}_database".replace("-", "_")
        return Refusal(code, OTHER_MODE, f"it is a {identity.mode} database, this is {owner.mode}; name another one")
    if owner.accounts is None or owner.adopts or identity.account in (None, *owner.accounts):
        return None
    return Refusal(
        "other_account",
        OTHER_ACCOUNT,
        f"it has served the account {identity.account}, which the profile does not list; name another database, add"
        f" the account to whatsapp.wabaIds, or hand the database over with {ADOPT}",
    )


def refusal_unmarked(owner: Owner, recent_accounts: set[str]) -> Refusal | None:
    """Return why this gateway may not take a database of older code, which has no recorded owner.

    `recent_accounts`: those of its newest events. It belongs to another gateway if none of them is ours.
    """
    if owner.adopts:
        return None
    if not owner.claims:
        cure = f"if it is a {owner.mode} database, say so once with {ADOPT}; if not, name another one"
        return Refusal("unmarked_database", UNMARKED, cure)
    if owner.accounts is None or not recent_accounts or recent_accounts & set(owner.accounts):
        return None
    return Refusal(
        "other_account",
        OTHER_ACCOUNT,
        f"its events are of {', '.join(sorted(recent_accounts))}; name another database, or say that it is this"
        f" profile's with {ADOPT}",
    )


def refusal_foreign(tables: set[str]) -> Refusal | None:
    """Return why no schema is made in a database without one, which has these tables with names of ours."""
    if not tables:
        return None
    cure = f"it has {', '.join(sorted(tables))}, and no schema of wats; name another database, or an empty one"
    return Refusal("foreign_database", FOREIGN_TABLES, cure)
