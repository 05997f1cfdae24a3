"""Makes a deep backlog out of a small one: the database copies its events, deliveries and jobs."""

from sqlalchemy import Connection, Table, func, insert, literal, literal_column, select, text

from app.store import Store
from app.store.tables.schema import deliveries, events, jobs

RANDOM = {"sqlite": "randomblob(16)", "postgresql": "uuid_send(gen_random_uuid())"}
AT_ONCE = 20_000


def deepen(store: Store, queue: str, depth: int) -> None:
    """Copy the open jobs of a queue until there are this many, each with a delivery and an event of its own."""
    while (open_jobs := store.database.read(lambda c: _count(c, queue))) < depth:
        some = min(AT_ONCE, depth - open_jobs)
        store.write(lambda connection, some=some: _copy(connection, queue, some))


def _count(connection: Connection, queue: str) -> int:
    return int(connection.execute(select(func.count()).where(jobs.c.queue == queue)).scalar_one())


def _copy(connection: Connection, queue: str, some: int) -> None:
    """Copy the first jobs. The ids of what they are about move on by as much as there is."""
    oldest = select(jobs.c.subject).where(jobs.c.queue == queue).order_by(jobs.c.id).limit(some)
    subjects = list(connection.execute(oldest).scalars())
    later_event, later_delivery = _last(connection, events), _last(connection, deliveries)
    of_jobs = (jobs.c.queue == queue) & jobs.c.subject.between(subjects[0], subjects[-1])
    of_deliveries = deliveries.c.id.in_(select(jobs.c.subject).where(of_jobs))
    of_events = events.c.id.in_(select(deliveries.c.event).where(of_deliveries))
    random = literal_column(RANDOM[connection.dialect.name])
    _insert(connection, events, of_events, id=events.c.id + literal(later_event), event_id=random)
    _insert(
        connection,
        deliveries,
        of_deliveries,
        id=deliveries.c.id + literal(later_delivery),
        event=deliveries.c.event + literal(later_event),
    )
    _insert(connection, jobs, of_jobs, id=None, subject=jobs.c.subject + literal(later_delivery))
    if connection.dialect.name == "postgresql":
        for table in (events, deliveries):
            query = f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))"
            connection.execute(text(query))


def _last(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.max(table.c.id))).scalar_one())


def _insert(connection: Connection, table: Table, which: object, **changed: object) -> None:
    columns = {column.name: changed.get(column.name, column) for column in table.columns}
    columns = {name: column for name, column in columns.items() if column is not None}
    copies = select(*columns.values()).where(which)  # type: ignore[arg-type]
    connection.execute(insert(table).from_select(list(columns), copies))
