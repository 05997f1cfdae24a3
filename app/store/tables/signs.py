"""The latest events and messages that may be signs of trouble. Every query reads few rows at a time, by an index."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from app.domain.foreign_events import ForeignSource, sources_of
from app.domain.message import MessageStatus
from app.domain.meta.graph_error_table import ALERTING
from app.domain.meta.warnings import WARNING_TYPES, MetaWarning, warning_of
from app.store.tables.events import item_of
from app.store.tables.message_schema import messages
from app.store.tables.messages import has_status
from app.store.tables.schema import events
from app.store.tables.types import MAX_ROW_ID

MAX_FOREIGN, MAX_WARNINGS, MAX_FAILURES, FAILURES_STEP = 500, 50, 10_000, 500
"""Many failures are read, because most concern no human, such as numbers without WhatsApp: in steps, until all of a
step are too old."""

_CODES = [str(code).encode() for code in sorted(ALERTING)]

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
_FAILED = (
    select(messages.c.id, messages.c.updated_at, messages.c.progress)
    .where(has_status(MessageStatus.FAILED), messages.c.id < bindparam("before"))
    .order_by(messages.c.id.desc())
    .limit(FAILURES_STEP)
)


def foreign_sources(connection: Connection) -> list[ForeignSource]:
    """Return where the last foreign events came from, `MAX_FOREIGN` of them."""
    rows = connection.execute(_FOREIGN)
    return sources_of((row.waba_id, row.phone_number_id, row.received_at) for row in rows)


def standing_warnings(connection: Connection, since: datetime) -> list[MetaWarning]:
    """Return the latest word of Meta's about each number and account since then, if it is a warning."""
    last: dict[tuple[str, str], MetaWarning] = {}
    for type_ in WARNING_TYPES:
        for row in connection.execute(_OF_TYPE, {"of_type": type_}):
            warning = warning_of(row.type, row.waba_id, item_of(row.document), row.occurred_at)
            if warning is not None and warning.at >= since:
                last.setdefault((warning.type, warning.subject), warning)
    return [warning for warning in last.values() if warning.text is not None]


def errors_of_failures(connection: Connection, since: datetime) -> list[tuple[datetime, Any]]:
    """Return time and error of those of the last `MAX_FAILURES` that were since then and may concern a human."""
    found: list[tuple[datetime, Any]] = []
    before = MAX_ROW_ID
    for _ in range(MAX_FAILURES // FAILURES_STEP):
        rows = connection.execute(_FAILED, {"before": before}).all()
        recent = [(row.updated_at, bytes(row.progress)) for row in rows if row.updated_at >= since]
        found += [(at, error) for at, progress in recent if (error := _error_of_concern(progress)) is not None]
        if len(rows) < FAILURES_STEP or not recent:
            break
        before = rows[-1].id
    return found


def _error_of_concern(progress: bytes) -> Any:
    """Return the error of a failed message if it may concern a human. Few are decoded."""
    return json.loads(progress).get("error") if any(code in progress for code in _CODES) else None
