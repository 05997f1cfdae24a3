"""Jobs as rows: when the next one is due, and how many are open in each queue."""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, func, select

from app.domain.queue import LaneDepth
from app.store.tables.schema import jobs, lanes

IN_FLIGHT = jobs.c.claim_id.is_not(None)


def earliest_due(connection: Connection, lane: str) -> datetime | None:
    """When the first job of a lane is due, or its lease ends, and the breaker lets one through. None if there is
    none, or nothing of the lane is claimed before somebody resumes it."""
    query = select(func.min(jobs.c.due_at)).where(jobs.c.lane == lane)
    earliest: datetime | None = connection.execute(query).scalar_one()
    row = connection.execute(select(lanes).where(lanes.c.name == lane)).one_or_none()
    if row is None or earliest is None:
        return earliest
    return None if row.paused or row.disabled else max(earliest, row.open_until or earliest)


def depths_of_lanes(connection: Connection, now: datetime) -> list[LaneDepth]:
    """By an index: what each lane has; what is in flight of it."""
    flying = select(jobs.c.lane, func.count()).where(IN_FLIGHT, jobs.c.due_at > now).group_by(jobs.c.lane)
    in_flight: Counter[str] = Counter(dict(connection.execute(flying).all()))
    everything = select(jobs.c.lane, func.count().label("open"), func.min(jobs.c.due_at).label("oldest"))
    rows = connection.execute(everything.group_by(jobs.c.lane).order_by(jobs.c.lane))
    return [LaneDepth(row.lane, row.open - in_flight[row.lane], in_flight[row.lane], row.oldest) for row in rows]
