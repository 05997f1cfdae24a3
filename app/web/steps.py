"""Bulk actions in small steps: a client posts a selection, then again with each `nextCursor`, until that is null."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import marshmallow as ma

from app.web.paging import cursor_of, read_cursor
from app.web.schemas import CamelSchema, Timestamp

T = TypeVar("T")

_ROW = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class StepRequest(NamedTuple, Generic[T]):
    """One step. `chosen`: the selection. `after`: the step begins behind this row id. `is_trial`: only count."""

    chosen: T
    after: int
    is_trial: bool


class StepRequestSchema(CamelSchema):
    """The JSON that asks for a step. A subclass adds the fields of its selection; its `choose` makes the selection.

    `since` is inclusive, `until` exclusive. `dryRun`: only count. `cursor`: the `nextCursor` of the last step.
    """

    choose: ClassVar[Callable[..., Any]]

    since = Timestamp()
    until = Timestamp()
    cursor = ma.fields.String()
    is_trial = ma.fields.Boolean(data_key="dryRun", load_default=False, truthy={True}, falsy={False})

    @ma.validates_schema
    def check_range(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an empty range of times."""
        if "since" in data and "until" in data and data["until"] <= data["since"]:
            raise ma.ValidationError("It must be later than since.", "until")

    @ma.post_load
    def to_request(self, data: dict[str, Any], **_: Any) -> StepRequest[Any]:
        """Return the step. Raises `ApiError` for a cursor that wats has not made."""
        cursor, is_trial = data.pop("cursor", None), data.pop("is_trial")
        after = 0 if cursor is None else int(read_cursor(cursor, _ROW))
        return StepRequest(type(self).choose(**data), after, is_trial)


def step_cursor(last_row: int | None) -> str | None:
    """Return the cursor of the step that begins behind this row id; None if no step follows."""
    return None if last_row is None else cursor_of(str(last_row))
