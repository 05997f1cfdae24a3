"""Build Meta's own envelope around one event, so that an existing bot runs behind the gateway unchanged."""

from itertools import zip_longest
from typing import Any

from app.domain.event import NewEvent, Origin
from app.domain.tracker import FIELD


def meta_envelope(event: NewEvent) -> dict[str, Any]:
    """Return the envelope of this item alone, with its metadata and its own contact.

    Splitting the envelope again gives the same event; only our tracker of a message is not in it, but the client's.
    """
    origin, raw = event.origin, _with_clients_tracker(event)
    if origin.path == "body":
        return dict(raw)
    envelope = {} if origin.object is None else {"object": origin.object}
    return {**envelope, "entry": [raw if origin.path == "entry" else _entry(origin, raw)]}


def _with_clients_tracker(event: NewEvent) -> Any:
    """Return the item. In a status of a message of ours, the client's own tracker replaces ours."""
    raw, tracker = event.raw, event.data.get("tracker")
    if not event.type.startswith("message.status.") or raw.get(FIELD) == tracker:
        return raw
    without = {key: value for key, value in raw.items() if key != FIELD}
    return without if tracker is None else {**without, FIELD: tracker}


def _entry(origin: Origin, raw: Any) -> dict[str, Any]:
    return {**origin.entry, "changes": [raw if origin.path == "change" else _change(origin, raw)]}


def _change(origin: Origin, raw: Any) -> dict[str, Any]:
    value = raw if origin.path == "value" else _value(origin, raw)
    return {"value": value} if origin.field is None else {"value": value, "field": origin.field}


def _value(origin: Origin, raw: Any) -> dict[str, Any]:
    contacts = {"contacts": origin.contacts} if origin.contacts else {}
    path = origin.path.removeprefix("value.")
    if not path.endswith("[]"):
        return {**origin.value, **contacts, path: raw}
    # The name of an unknown list may contain "[].": only a nested item's path leads through several lists.
    path = path.removesuffix("[]")
    keys = path.split("[].") if origin.ancestors else [path]
    item = raw
    for key, around in zip_longest(reversed(keys), reversed([{}, *origin.ancestors])):
        item = {**around, key: [item]}
    return {**origin.value, **contacts, **item}
