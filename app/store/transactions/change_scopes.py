"""Pauses scopes after refusals, and ends pauses: a part of transactions that have locked their messages before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.domain.content_scope import CONTENT_SCOPES, Sent
from app.domain.scope_pause import Refusal, ScopePause, pause_after, scope_name
from app.store.tables.sending import ensure_scope, lock_scopes, put_scope


@dataclass(frozen=True)
class ScopeRefusal:
    """A refusal of a message of a number. `sent_at`: when it was sent; `sent`: the message itself, if it is known.

    `named`: the scope, where it is known without a message.
    """

    refusal: Refusal
    phone_number_id: str
    waba_id: str | None
    sent_at: datetime
    sent: Sent | None = None
    named: str | None = None

    @property
    def names(self) -> list[str]:
        """The scopes that it pauses; none if it is of a kind that is never paused as a whole."""
        if self.named is not None:
            return [self.named]
        if self.refusal.scope in CONTENT_SCOPES:
            return [] if self.sent is None else self.sent.names(self.refusal.scope)
        name = scope_name(self.refusal.scope, self.phone_number_id, self.waba_id)
        return [] if name is None else [name]


def change_scopes(
    connection: Connection,
    now: datetime,
    refusals: Iterable[ScopeRefusal],
    *,
    working: Collection[str] = (),
    reinstated: Mapping[str, datetime] | None = None,
) -> None:
    """Pause the scopes of these refusals, and end the pauses of those that were seen to work and refuse nothing.

    An accepted message does not end a pause that ends by hand only. A scope that Meta has `reinstated` goes on.
    """
    by_name = [(name, one) for one in refusals for name in one.names]
    names = sorted({*working, *(reinstated or ()), *(name for name, _ in by_name)})
    if not names:
        return
    pauses = _lock(connection, names, {name for name, _ in by_name})
    for name, one in by_name:
        pauses[name] = pause_after(pauses.get(name), name, one.refusal, now, one.sent_at)
    for name in sorted({name for name, _ in by_name}):
        put_scope(connection, pauses[name])
    probed = {name: now for name in working if name in pauses and pauses[name].until is not None}
    for name, at in sorted({**probed, **(reinstated or {})}.items()):
        if name in pauses and not pauses[name].is_over and name not in dict(by_name):
            put_scope(connection, pauses[name].ended(at))


def _lock(connection: Connection, names: Iterable[str], refused: Collection[str]) -> dict[str, ScopePause]:
    """Lock these scopes in their order, and return their pauses. Those that were refused have a row from now on."""
    if not refused:
        return lock_scopes(connection, list(names))
    pauses: dict[str, ScopePause] = {}
    for name in names:
        if name in refused:
            ensure_scope(connection, name)
        pauses |= lock_scopes(connection, [name])
    return pauses
