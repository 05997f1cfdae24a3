"""Signs of life of processes, for whoever asks whether anybody works."""

from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, update

from app.domain.heartbeat import Heartbeat
from app.store.repository import Repository
from app.store.tables.schema import heartbeats

FORGOTTEN_AFTER = timedelta(days=1)


class Heartbeats(Repository):
    """Signs of life of processes."""

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note that a process is alive."""
        self._store.write(lambda c: _beat(c, heartbeat), durable=False)

    def forget(self, process: str) -> None:
        """A process has gone in order."""
        self._store.write(lambda c: _forget(c, process))

    def latest(self, kind: str) -> list[Heartbeat]:
        """The processes of a kind, the one that gave a sign last first."""
        return self._store.database.read(lambda c: _latest(c, kind))


def _beat(connection: Connection, heartbeat: Heartbeat) -> None:
    row = {column.name: getattr(heartbeat, column.name) for column in heartbeats.columns}
    renewed = connection.execute(update(heartbeats).where(heartbeats.c.process == heartbeat.process).values(row))
    if renewed.rowcount == 0:
        connection.execute(delete(heartbeats).where(heartbeats.c.at < heartbeat.at - FORGOTTEN_AFTER))
        connection.execute(insert(heartbeats).values(row))


def _forget(connection: Connection, process: str) -> None:
    connection.execute(delete(heartbeats).where(heartbeats.c.process == process))


def _latest(connection: Connection, kind: str) -> list[Heartbeat]:
    rows = connection.execute(select(heartbeats).where(heartbeats.c.kind == kind).order_by(heartbeats.c.at.desc()))
    return [Heartbeat(row.process, row.kind, row.version, row.started_at, row.at) for row in rows]
