"""Build Meta's own envelope around one event, so that an existing bot runs behind the gateway unchanged."""

from itertools import zip_longest
from typing import Any

from app.domain.event import NewEvent, Origin


def meta_envelope(event: NewEvent) -> dict[str, Any]:
    """Return the envelope of this item alone, with its metadata and its own contact.

    Splitting the envelope again gives the same event.
    """
    origin, raw = event.origin, event.raw
    if origin.path == "body":
        return dict(raw)
    envelope = {} if origin.object is None else {"object": origin.object}
    return {**envelope, "entry": [raw if origin.path == "entry" else _entry(origin, raw)]}


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
