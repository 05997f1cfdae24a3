"""Jobs as rows: when the next one is due, and how many are open in each queue."""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, func, select

from app.domain.queue import QueueDepth
from app.store.tables.schema import jobs, queues

IN_FLIGHT = jobs.c.claim_id.is_not(None)


def earliest_due(connection: Connection, queue: str) -> datetime | None:
    """When the first job of a queue is due, or its lease ends, and the breaker lets one through. None if there is
    none, or nothing of the queue is claimed before somebody resumes it."""
    query = select(func.min(jobs.c.due_at)).where(jobs.c.queue == queue)
    earliest: datetime | None = connection.execute(query).scalar_one()
    row = connection.execute(select(queues).where(queues.c.name == queue)).one_or_none()
    if row is None or earliest is None:
        return earliest
    return None if row.paused or row.disabled else max(earliest, row.open_until or earliest)


def depths_of_queues(connection: Connection, now: datetime) -> list[QueueDepth]:
    """By an index: what each queue has; what is in flight of it."""
    flying = select(jobs.c.queue, func.count()).where(IN_FLIGHT, jobs.c.due_at > now).group_by(jobs.c.queue)
    in_flight: Counter[str] = Counter(dict(connection.execute(flying).all()))
    everything = select(jobs.c.queue, func.count().label("open"), func.min(jobs.c.due_at).label("oldest"))
    rows = connection.execute(everything.group_by(jobs.c.queue).order_by(jobs.c.queue))
    return [QueueDepth(row.queue, row.open - in_flight[row.queue], in_flight[row.queue], row.oldest) for row in rows]
