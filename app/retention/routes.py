"""Erasing a customer: one step for each request, so that none takes long and whoever asks sees it go on."""

import re
from typing import Any

from app.domain.erasure import EraseStep, ErasureCursor, ErasureStage
from app.gateway import gateway
from app.retention.schemas import ErasedSchema, EraseSchema
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.paging import cursor_of, read_cursor

bp = JsonBlueprint("contacts", __name__, description="Customers.")

PLACE = re.compile(rf"(?:{'|'.join(ErasureStage)})_[0-9]{{1,18}}_[0-9]{{1,18}}", re.ASCII)


@bp.post("/contacts/erase")
@guarded_by(bearer("operate"))
@bp.arguments(EraseSchema)
@bp.response(200, ErasedSchema)
def erase_contact(body: dict[str, Any]) -> dict[str, Any]:
    """Erase a customer: its events, their deliveries, the bytes that name it. Repeat with `nextCursor` until null."""
    contact = body["contact"].removeprefix("+")
    place = None if body["cursor"] is None else _place(body["cursor"])
    return _told(gateway().store.retention.erase(contact, place))


def _told(step: EraseStep) -> dict[str, Any]:
    place = step.next
    cursor = None if place is None else cursor_of(f"{place.stage}_{place.after}_{place.last_receipt_id}")
    return {**vars(step), "left": 0 if place is None else place.left, "next_cursor": cursor}


def _place(cursor: str) -> ErasureCursor:
    stage, after, last_receipt_id = read_cursor(cursor, PLACE).split("_")
    return ErasureCursor(ErasureStage(stage), int(after), int(last_receipt_id))
