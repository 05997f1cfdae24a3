"""Pauses scopes after refusals, and ends pauses: a part of transactions that have locked their messages before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.domain.clock import CLOCK_TOLERANCE
from app.domain.content_scope import CONTENT_SCOPES, Sent, whole_of
from app.domain.scope_pause import Refusal, ScopePause, pause_after, scope_name
from app.store.tables.scopes import ensure_scope, lock_scopes, put_scope


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
        """The names of the scopes that it pauses; none for a kind of scope that is never paused as a whole."""
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
    working: Mapping[str, ScopePause] | None = None,
    reinstated: Mapping[str, datetime] | None = None,
) -> None:
    """Pause the scopes of these refusals. Let those go on that are `working` or `reinstated`.

    `working`: Meta has accepted a probe; by name, each as it was when the probe left. A refused one stays paused.
    `reinstated`: Meta has released it, and when; recorded in any case, for an older refusal that comes later.
    """
    by_name = [(name, one) for one in refusals for name in one.names]
    refused, released = {name for name, _ in by_name}, dict(reinstated or {})
    probed = working or {}
    names = {*probed, *released, *refused}
    if not names:
        return
    pauses = _lock(connection, sorted(names | {whole_of(name) for name in refused}), refused | set(released))
    before = dict(pauses)
    pauses |= {name: pauses[name].reinstated(at) for name, at in released.items()}
    for name, one in by_name:
        if not _is_released_as_a_whole(pauses, name, one, now):
            pauses[name] = pause_after(pauses[name], name, one.refusal, now, one.sent_at)
    for name in set(probed) & set(pauses) - refused:
        pauses[name] = pauses[name].worked(probed[name], now)
    for name in sorted(pauses):
        if pauses[name] != before[name]:
            put_scope(connection, pauses[name])


def _is_released_as_a_whole(pauses: Mapping[str, ScopePause], name: str, one: ScopeRefusal, now: datetime) -> bool:
    """Return whether the larger scope around this one was released after the refused message was sent.

    A release in the future by our clock is not believed: no refusal would ever pause anything before it.
    """
    whole = pauses.get(whole_of(name)) if whole_of(name) != name else None
    return whole is not None and whole.is_over and one.sent_at <= whole.since <= now + CLOCK_TOLERANCE


def _lock(connection: Connection, names: Iterable[str], needed: Collection[str]) -> dict[str, ScopePause]:
    """Lock these scopes in their order, and return their pauses. Insert the rows of those that are `needed`."""
    if not needed:
        return lock_scopes(connection, list(names))
    pauses: dict[str, ScopePause] = {}
    for name in names:
        if name in needed:
            ensure_scope(connection, name)
        pauses |= lock_scopes(connection, [name])
    return pauses
