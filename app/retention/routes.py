"""The HTTP route that erases a customer: one short step per request, so that the client can show progress."""

import re
from typing import Any

from app.domain.erasure import EraseStep, ErasureCursor, ErasureStage
from app.retention.schemas import ErasedSchema, EraseSchema
from app.store.media_folder import FolderUnusable
from app.web.current import gateway
from app.web.errors import ApiError
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.openapi_operations import refuses
from app.web.paging import cursor_of, read_cursor

bp = JsonBlueprint("contacts", __name__, description="Customers.")

_CURSOR = re.compile(rf"(?:{'|'.join(ErasureStage)})_[0-9]{{1,18}}_[0-9]{{1,18}}", re.ASCII)


@bp.post("/contacts/erase")
@guarded_by(bearer("operate"))
@refuses("invalid_cursor")
@bp.arguments(EraseSchema)
@bp.response(200, ErasedSchema)
def erase_contact(body: dict[str, Any]) -> dict[str, Any]:
    """Erase a customer step by step; repeat with `nextCursor` until it is null.

    Each step erases the bodies of receipts that name the customer, looks for events about others that do so, or
    deletes events and their deliveries. On SQLite the last steps remove what the database's file keeps of deleted
    rows; one that returns the cursor that it was given is held up by a reader of an older state: wait, and repeat it.
    """
    contact = body["contact"].removeprefix("+")
    cursor = None if body["cursor"] is None else _read_cursor(body["cursor"])
    step = gateway().store.retention.erase(contact, cursor)
    _remove_files()
    return _to_json(step)


def _remove_files() -> None:
    """Remove the files of events that were erased. If that fails, the step is repeated, and they are still marked."""
    try:
        gateway().store.media.remove_deleted(gateway().media_folder)
    except FolderUnusable as unusable:
        raise ApiError("unavailable", f"Files of the customer are not deleted yet: {unusable}.") from unusable


def _to_json(step: EraseStep) -> dict[str, Any]:
    if step.next is None:
        return {**vars(step), "left": 0, "next_cursor": None}
    cursor = cursor_of(f"{step.next.stage}_{step.next.after}_{step.next.last_receipt_id}")
    return {**vars(step), "left": step.next.left, "next_cursor": cursor}


def _read_cursor(text: str) -> ErasureCursor:
    stage, after, last_receipt_id = read_cursor(text, _CURSOR).split("_")
    return ErasureCursor(ErasureStage(stage), int(after), int(last_receipt_id))
