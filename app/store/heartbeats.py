"""Heartbeats of processes; `/status` and `wats worker --check` use them to see whether a worker is alive."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from app.domain.heartbeat import FRESH_FOR, Heartbeat
from app.store.repository import Repository
from app.store.tables.schema import heartbeats

KEPT_FOR = timedelta(days=1)


class Heartbeats(Repository):
    """Reads and writes heartbeats."""

    def beat(self, heartbeat: Heartbeat, *, durable: bool = False) -> None:
        """Record that a process is alive now, by the clock that all processes share.

        The first heartbeat of a process also deletes those older than a day, and those from the future. A durable one
        brings to the disk what was committed before it, too.
        """
        self._store.write(lambda c: _beat(c, replace(heartbeat, at=self._store.now(c))), durable=durable)

    def delete(self, process: str) -> None:
        """Delete the heartbeat of a process that stops cleanly."""
        self._store.write(lambda c: _delete(c, process))

    def of_kind(self, kind: str) -> list[Heartbeat]:
        """Return the heartbeats of this kind of process, the latest first."""
        return self._store.database.read(lambda c: _of_kind(c, kind))


def _beat(connection: Connection, heartbeat: Heartbeat) -> None:
    row = {column.name: getattr(heartbeat, column.name) for column in heartbeats.columns}
    renewed = connection.execute(update(heartbeats).where(heartbeats.c.process == heartbeat.process).values(row))
    if renewed.rowcount == 0:
        worthless = or_(heartbeats.c.at < heartbeat.at - KEPT_FOR, heartbeats.c.at > heartbeat.at + FRESH_FOR)
        expired = select(heartbeats.c.process).where(worthless)
        processes = connection.execute(expired.with_for_update(skip_locked=True)).scalars().all()
        connection.execute(delete(heartbeats).where(heartbeats.c.process.in_(processes)))
        connection.execute(insert(heartbeats).values(row))


def _delete(connection: Connection, process: str) -> None:
    connection.execute(delete(heartbeats).where(heartbeats.c.process == process))


def _of_kind(connection: Connection, kind: str) -> list[Heartbeat]:
    rows = connection.execute(select(heartbeats).where(heartbeats.c.kind == kind).order_by(heartbeats.c.at.desc()))
    return [Heartbeat(row.process, row.kind, row.version, row.started_at, row.at) for row in rows]
