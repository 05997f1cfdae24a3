"""The latest events that may be signs of trouble. Every query reads few rows at a time, by an index."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text

from app.domain.foreign_events import ForeignSource, sources_of
from app.domain.meta.warnings import WARNING_TYPES, MetaWarning, warning_of
from app.store.tables.events import item_of
from app.store.tables.schema import events

MAX_FOREIGN, MAX_WARNINGS = 500, 50
"""How many rows are read."""

_FOREIGN = (
    select(events.c.waba_id, events.c.phone_number_id, events.c.received_at)
    .where(text("is_foreign"))
    .order_by(events.c.id.desc())
    .limit(MAX_FOREIGN)
)
_OF_TYPE = (
    select(events.c.type, events.c.waba_id, events.c.occurred_at, events.c.document)
    .where(events.c.type == bindparam("of_type"), ~events.c.is_foreign)
    .order_by(events.c.id.desc())
    .limit(MAX_WARNINGS)
)


def foreign_sources(connection: Connection) -> list[ForeignSource]:
    """Return where the last foreign events came from, `MAX_FOREIGN` of them."""
    rows = connection.execute(_FOREIGN)
    return sources_of((row.waba_id, row.phone_number_id, row.received_at) for row in rows)


def current_warnings(connection: Connection, since: datetime) -> list[MetaWarning]:
    """Return the latest word of Meta's about each number and account since then, if it is a warning."""
    last: dict[tuple[str, str], MetaWarning] = {}
    for type_ in WARNING_TYPES:
        for row in connection.execute(_OF_TYPE, {"of_type": type_}):
            warning = warning_of(row.type, row.waba_id, item_of(row.document), row.occurred_at)
            if warning is not None and warning.at >= since:
                last.setdefault((warning.type, warning.subject), warning)
    return [warning for warning in last.values() if warning.text is not None]
