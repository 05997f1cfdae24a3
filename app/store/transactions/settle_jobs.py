"""Settling jobs: what became of a try is written down at once, by its owner only."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, update

from app.domain.job import STANDING_LANES, Again, Job
from app.domain.job_result import Settlement
from app.domain.queue import LaneState
from app.store.tables.chunks import chunks
from app.store.tables.delivery_progress import note_progress
from app.store.tables.queue_health import Chance, note_health
from app.store.tables.queues import lock_lanes
from app.store.tables.schema import jobs
from app.store.transactions.claim_jobs import Held, lock_held
from app.store.transactions.enqueue import release

_PUT_BACK = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(claim_id=None, claims=0, due_at=bindparam("due"), attempts=jobs.c.attempts + bindparam("tried"))
)
_TAKE_OUT = delete(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))


def settle_jobs(
    connection: Connection, now: datetime, settlements: Sequence[Settlement], chance: Chance
) -> list[bool]:
    """Apply those whose claim is still held, each claim's first; which they are."""
    lanes, held = _lock(connection, [end.job for end in settlements])
    first = {(end.job.id, end.job.claim_id): end for end in reversed(settlements)}
    applied = [
        (end.job.id, end.job.claim_id) in held and first[end.job.id, end.job.claim_id] is end for end in settlements
    ]
    ends = [end for end, applies in zip(settlements, applied, strict=True) if applies]
    _put_back(connection, now, [end for end in ends if _stays(end)])
    _take_out(connection, now, [end.job for end in ends if not _stays(end)], held)
    note_progress(connection, now, ends)
    note_health(connection, now, lanes, ends, chance)
    return applied


def _lock(connection: Connection, claimed: Sequence[Job]) -> tuple[dict[str, LaneState], Held]:
    """Standing jobs first: the splitter holds its own while it locks lanes. Then lanes, then the other jobs."""
    standing = lock_held(connection, [job for job in claimed if job.lane in STANDING_LANES])
    others = [job for job in claimed if job.lane not in STANDING_LANES]
    lanes = lock_lanes(connection, {job.lane for job in others})
    return lanes, {**standing, **lock_held(connection, others)}


def _stays(end: Settlement) -> bool:
    return isinstance(end.outcome, Again) or end.job.lane in STANDING_LANES


def _put_back(connection: Connection, now: datetime, ends: Iterable[Settlement]) -> None:
    """Due again. A standing job never ends, so that its tries are not counted."""
    rows = [
        {
            "job_id": end.job.id,
            "due": now + (end.outcome.after if isinstance(end.outcome, Again) else timedelta()),
            "tried": 0 if end.job.lane in STANDING_LANES else 1,
        }
        for end in ends
    ]
    if rows:
        connection.execute(_PUT_BACK, rows)


def _take_out(connection: Connection, now: datetime, ended: Sequence[Job], held: Held) -> None:
    """No longer open; whoever waited behind them is due."""
    for some in chunks(sorted(job.id for job in ended)):
        connection.execute(_TAKE_OUT, {"ids": some})
    lines = [(job.lane, held[job.id, job.claim_id]) for job in ended]
    release(connection, now, {(lane, key) for lane, key in lines if key is not None})
