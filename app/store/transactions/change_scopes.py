"""Pauses scopes after refusals, and ends pauses: a part of transactions that have locked their messages before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.domain.scope_pause import Refusal, pause_after, scope_name
from app.store.tables.sending import lock_scopes, put_scope


@dataclass(frozen=True)
class ScopeRefusal:
    """A refusal of a message of a number; `sent_at`: when the message was sent."""

    refusal: Refusal
    phone_number_id: str
    waba_id: str | None
    sent_at: datetime

    @property
    def name(self) -> str | None:
        """The scope that it pauses; None if it is one that is never paused as a whole."""
        return scope_name(self.refusal.scope, self.phone_number_id, self.waba_id)


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
    by_name = [(name, one) for one in refusals if (name := one.name) is not None]
    names = sorted({*working, *(reinstated or ()), *(name for name, _ in by_name)})
    if not names:
        return
    pauses = lock_scopes(connection, names)
    for name, one in by_name:
        pauses[name] = pause_after(pauses.get(name), name, one.refusal, now, one.sent_at)
    for name in sorted({name for name, _ in by_name}):
        put_scope(connection, pauses[name])
    probed = {name: now for name in working if name in pauses and pauses[name].until is not None}
    for name, at in sorted({**probed, **(reinstated or {})}.items()):
        if name in pauses and not pauses[name].is_over and name not in dict(by_name):
            put_scope(connection, pauses[name].ended(at))
