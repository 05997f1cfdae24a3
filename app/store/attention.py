"""Stores what needs a human: the current alerts, refused webhooks, and the life of the access token."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, select, text

from app.domain.alert import Alert, AlertChanges, AlertKey
from app.domain.failure_sign import FailureSign
from app.domain.foreign_events import ForeignSource
from app.domain.meta.access_token import TokenLife
from app.domain.meta.warnings import KEPT_FOR, MetaWarning
from app.domain.refused_webhooks import RefusedWebhooks
from app.store.repository import Repository
from app.store.tables.attention_schema import access_token, refused_webhooks
from app.store.tables.message_alerts import failure_signs
from app.store.tables.signs import current_warnings, foreign_sources
from app.store.tables.types import UtcDateTime, printable_excerpt
from app.store.transactions.record_alerts import read_alerts, record_alerts, reword_alerts

_ADD = text(
    "INSERT INTO refused_webhooks (reason, count, since, last_at) VALUES (:reason, :count, :since, :last_at)"
    " ON CONFLICT (reason) DO UPDATE SET count = refused_webhooks.count + excluded.count, last_at = excluded.last_at"
).bindparams(*(bindparam(name, type_=UtcDateTime) for name in ("since", "last_at")))

_PUT_TOKEN = text(
    "INSERT INTO access_token (id, asked_at, is_valid, ends_at, reason)"
    " VALUES (1, :asked_at, :is_valid, :ends_at, :reason)"
    " ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at, is_valid = excluded.is_valid,"
    " ends_at = excluded.ends_at, reason = excluded.reason"
).bindparams(*(bindparam(name, type_=UtcDateTime) for name in ("asked_at", "ends_at")))

FAILURES_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Signs:
    """Signs of trouble: where foreign events come from, what Meta warns of, messages that failed for a reason that
    concerns a human, and what Meta has said last of the access token."""

    foreign: list[ForeignSource]
    warnings: list[MetaWarning]
    failures: list[FailureSign]
    token: TokenLife | None = None


class Attention(Repository):
    """The current alerts, and the requests that were refused at Meta's route."""

    def recorded(self) -> dict[AlertKey, Alert]:
        """Return the alerts as they were last recorded."""
        return self._store.database.read(read_alerts)

    def record(self, current: Iterable[Alert], *, destinations: Iterable[str] = ()) -> AlertChanges:
        """Record the current alerts. Return those that are new, and those that are over.

        Each of `destinations` gets an event for every one of these.
        """
        alerts, names = list(current), list(destinations)
        return self._store.write(lambda c: record_alerts(c, self._store.now(c), alerts, names), "events", "work")

    def reword(self, changed: Sequence[Alert]) -> None:
        """Update the texts of recorded alerts, so that the end of each alert is logged with its last cause."""
        self._store.write(lambda c: reword_alerts(c, changed), durable=False)

    def signs(self) -> Signs:
        """Return the latest signs of trouble."""
        return self._store.database.read(self._signs)

    def _signs(self, connection: Connection) -> Signs:
        now = self._store.now(connection)
        return Signs(
            foreign=foreign_sources(connection),
            warnings=current_warnings(connection, now - KEPT_FOR),
            failures=failure_signs(connection, now - FAILURES_FOR),
            token=_token(connection),
        )

    def token(self) -> TokenLife | None:
        """Return Meta's last answer about the access token; None if it was not asked."""
        return self._store.database.read(_token)

    def record_token(self, life: TokenLife) -> None:
        """Record what Meta says of the access token, in place of what it has said before."""
        row = {**vars(life), "reason": printable_excerpt(life.reason)}
        self._store.write(lambda c: c.execute(_PUT_TOKEN, row), durable=False)

    def refused(self) -> list[RefusedWebhooks]:
        """Return the refused requests of Meta's route, by reason."""
        query = select(refused_webhooks).order_by(refused_webhooks.c.reason)
        return self._store.database.read(lambda c: [RefusedWebhooks(**row) for row in c.execute(query).mappings()])

    def add_refused(self, refused: Sequence[RefusedWebhooks]) -> None:
        """Add these to what was refused."""
        rows = [vars(one) for one in sorted(refused, key=lambda one: one.reason)]
        self._store.write(lambda c: c.execute(_ADD, rows), durable=False)

    def forget_refused(self, refused: Sequence[RefusedWebhooks]) -> None:
        """Forget these, unless more were refused meanwhile."""
        self._store.write(lambda c: _forget(c, refused), durable=False)


def _token(connection: Connection) -> TokenLife | None:
    row = connection.execute(select(access_token)).first()
    return None if row is None else TokenLife(row.asked_at, row.is_valid, row.ends_at, row.reason)


def _forget(connection: Connection, refused: Sequence[RefusedWebhooks]) -> None:
    for one in sorted(refused, key=lambda each: each.reason):
        is_same = (refused_webhooks.c.reason == one.reason) & (refused_webhooks.c.last_at <= one.last_at)
        connection.execute(delete(refused_webhooks).where(is_same))
