"""The further names of a contact, read out of the document of a stored event.

For events of code that did not store them in `event_names`. New events bring theirs, see `names_of`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

ID = re.compile(r"[!-~]{1,200}", re.ASCII)


def further_names(row: Any) -> set[str]:
    """Return the names in the event's document that are not in the columns of the event."""
    document = json.loads(bytes(row.document))
    return {name for name in _names(document) if ID.fullmatch(name)} - {row.wa_id, row.user_id}


def _names(document: dict[str, Any]) -> Iterator[str]:
    origin, data = document["origin"], document["data"]
    given = [document["contact"], *origin["contacts"], data.get("previous"), data.get("current")]
    threads = origin.get("ancestors", [])[-1:]
    given += [{"wa_id": thread.get("id"), **_object(thread.get("context"))} for thread in threads]
    for ids in map(_object, given):
        for key in ("wa_id", "user_id", "parent_user_id", "waId", "userId"):
            if isinstance(ids.get(key), str):
                yield ids[key].removeprefix("+")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
