"""The state of the fake Meta in a dry-run: its values, and its webhooks that wait to be posted.

No commit of it waits for the disk: what a power cut takes back was only a trial.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select, text, update

from app.domain.job import FAKE_META_QUEUE
from app.store.repository import Repository
from app.store.tables.fake_schema import fake_meta
from app.store.tables.types import UtcDateTime
from app.store.transactions.enqueue import NewJob, enqueue

SEPARATOR = ":"
WEBHOOK = "webhook"
KEPT_FOR = timedelta(days=30)
"""State that was not changed for this long is deleted: Meta keeps an uploaded file no longer either."""

_JSON, _BYTES = b"j", b"b"
_ENSURE = text(
    "INSERT INTO fake_meta (name, updated_at, value) VALUES (:name, :now, :value) ON CONFLICT (name) DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime))

_INSERT_NEW = text(f"{_ENSURE.text} RETURNING id").bindparams(bindparam("now", type_=UtcDateTime))


class FakeMetaState(Repository):
    """Values by kind and key. A value is JSON, or bytes."""

    def get(self, kind: str, key: str) -> Any:
        """Return a value; None if there is none."""
        query = select(fake_meta.c.value).where(fake_meta.c.name == _name(kind, key))
        return _decode(self._store.database.read(lambda c: c.execute(query).scalar_one_or_none()))

    def items(self, kind: str) -> list[tuple[str, Any]]:
        """Return the values of a kind with their keys, oldest first."""
        query = select(fake_meta.c.name, fake_meta.c.value).where(_is_of(kind)).order_by(fake_meta.c.id)
        rows = self._store.database.read(lambda c: c.execute(query).all())
        return [(row.name.partition(SEPARATOR)[2], _decode(row.value)) for row in rows]

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep a value, in the place of the one before."""
        self.update(kind, key, lambda _: value)

    def update(self, kind: str, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace a value by what `change` makes of it (of None if there is none), atomically; return the new one."""
        return self._store.write(lambda c: _update(c, self._store.now(c), _name(kind, key), change), durable=False)

    def delete(self, kind: str, key: str) -> bool:
        """Forget a value; return whether there was one."""
        query = delete(fake_meta).where(fake_meta.c.name == _name(kind, key))
        return self._store.write(lambda c: c.execute(query).rowcount > 0, durable=False)

    def plan_webhook(self, key: str, body: bytes, delay: timedelta) -> None:
        """Keep the body of a webhook, with a job that posts it after the delay, unless one waits under this key."""

        def plan(connection: Connection) -> None:
            now = self._store.now(connection)
            row = {"name": _name(WEBHOOK, key), "now": now, "value": body}
            subject = connection.execute(_INSERT_NEW, row).scalar_one_or_none()
            if subject is not None:
                enqueue(connection, now, [NewJob(FAKE_META_QUEUE, subject, None, delay)])

        self._store.write(plan, "work", durable=False)

    def webhook(self, row_id: int) -> bytes | None:
        """Return the body of a webhook that waits; None if it was posted."""
        query = select(fake_meta.c.value).where(fake_meta.c.id == row_id)
        return self._store.database.read(lambda c: c.execute(query).scalar_one_or_none())

    def forget_webhook(self, row_id: int) -> None:
        """Forget a webhook that was posted, and everything that was not changed for long."""
        self._store.write(lambda c: _forget(c, self._store.now(c), row_id), durable=False)


def _update(connection: Connection, now: datetime, name: str, change: Callable[[Any], Any]) -> Any:
    connection.execute(_ENSURE, {"name": name, "now": now, "value": _encode(None)})
    stored = select(fake_meta.c.value).where(fake_meta.c.name == name)
    value = change(_decode(connection.execute(stored.with_for_update()).scalar_one()))
    changed = {"value": _encode(value), "updated_at": now}
    connection.execute(update(fake_meta).where(fake_meta.c.name == name).values(changed))
    return value


def _forget(connection: Connection, now: datetime, row_id: int) -> None:
    is_over = or_(fake_meta.c.id == row_id, fake_meta.c.updated_at < now - KEPT_FOR)
    over = select(fake_meta.c.id).where(is_over).order_by(fake_meta.c.id).with_for_update(skip_locked=True)
    ids = connection.execute(over).scalars().all()
    connection.execute(delete(fake_meta).where(fake_meta.c.id.in_(ids)))


def _name(kind: str, key: str) -> str:
    return f"{kind}{SEPARATOR}{key}"


def _is_of(kind: str) -> ColumnElement[bool]:
    return fake_meta.c.name.startswith(_name(kind, ""), autoescape=True)


def _encode(value: Any) -> bytes:
    return _BYTES + value if isinstance(value, bytes) else _JSON + json.dumps(value).encode()


def _decode(stored: bytes | None) -> Any:
    if stored is None:
        return None
    return stored[1:] if stored[:1] == _BYTES else json.loads(stored[1:])
