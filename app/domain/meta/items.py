"""Find every item of a body, in order. Whatever has an unexpected shape becomes an item itself: nothing is lost."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from app.domain.meta.context import Scope, is_small, split_oversized
from app.domain.meta.webhook_fields import item_keys, list_keys

INNER_LISTS = {"history": ("threads", "errors"), "threads": ("messages",)}
"""Lists whose items hold lists of items: a chunk of history holds threads, and a thread holds messages."""

COMMON = ("messaging_product", "metadata")
"""The keys of a value that belong to all of its items."""

OF_ENTRY = ("id", "time")
"""The keys of an entry that belong to all of its items: the account, and the time."""

Steps = tuple[int | str, ...]
"""Indexes and keys that lead from the body's entries to an item."""


class Item(NamedTuple):
    """A piece of a body that becomes one event, and its place in the body.

    `key` is the key of the list in the value, empty outside of lists. `path` and `ancestors` are as in Origin.
    """

    raw: Any
    scope: Scope
    path: str
    steps: Steps
    key: str = ""
    ancestors: tuple[dict[str, Any], ...] = ()

    @property
    def is_listed(self) -> bool:
        """Return whether the item was in a list, as an item should be."""
        return self.path.endswith("[]")


def walk(body: dict[str, Any]) -> Iterator[Item]:
    """Yield every item; the body itself if it has no entries."""
    entries = body.get("entry")
    if not isinstance(entries, list) or not entries:
        yield Item(body, Scope(None, _account_and_time(entries if isinstance(entries, dict) else body)), "body", ())
        return
    for index, entry in enumerate(entries):
        yield from _in_entry(body.get("object"), entry, (index,))


def _in_entry(object_: Any, entry: Any, steps: Steps) -> Iterator[Item]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list) or not changes:
        yield Item(entry, Scope(object_, _account_and_time(entry)), "entry", steps)
        return
    around, oversized = split_oversized(entry, leave={"changes"}, keep=OF_ENTRY)
    if oversized:
        yield Item({**around, **oversized}, Scope(object_, around), "entry", steps)
    for index, change in enumerate(changes):
        yield from _in_change(Scope(object_, around), change, (*steps, index))


def _account_and_time(entry: Any) -> dict[str, Any]:
    members = entry if isinstance(entry, dict) else {}
    return {key: members[key] for key in OF_ENTRY if key in members and is_small(members[key])}


def _in_change(scope: Scope, change: Any, steps: Steps) -> Iterator[Item]:
    if not isinstance(change, dict) or "value" not in change:
        field = change.get("field") if isinstance(change, dict) else None
        yield Item(change, Scope(scope.object, scope.entry, field), "change", steps)
        return
    scope = Scope(scope.object, scope.entry, change.get("field"))
    value = change["value"]
    keys = item_keys(scope.field_name, value) if isinstance(value, dict) else []
    if keys:
        yield from _in_value(scope, value, keys, steps)
    else:
        yield _whole_value(scope, value, steps)


def _whole_value(outer: Scope, value: Any, steps: Steps) -> Item:
    if not isinstance(value, dict):
        return Item(value, outer, "value", steps)
    contacts, _ = _split_contacts(value.get("contacts"))
    return Item(value, replace(outer, value=value, contacts=contacts), "value", steps)


def _in_value(outer: Scope, value: dict[str, Any], keys: list[str], steps: Steps) -> Iterator[Item]:
    contacts, odd_contacts = _split_contacts(value.get("contacts"))
    around, oversized = split_oversized(value, leave=_all_lists(value), keep=COMMON)
    rest = {**oversized, **{key: value[key] for key in list_keys(value) if key not in keys}}
    if odd_contacts:
        rest["contacts"] = odd_contacts
    if rest:
        common = {key: around[key] for key in COMMON if key in around}
        yield _whole_value(outer, {**common, **rest}, steps)
    scope = replace(outer, value=around, contacts=contacts)
    for key in keys:
        if isinstance(value[key], list):
            yield from _in_list(Item(value[key], scope, f"value.{key}[]", (*steps, key), key))
        else:
            yield Item(value[key], scope, f"value.{key}", (*steps, key), key)


def _all_lists(value: dict[str, Any]) -> set[str]:
    return {key for key, member in value.items() if isinstance(member, list)}.union(list_keys(value))


def _split_contacts(contacts: Any) -> tuple[tuple[dict[str, Any], ...], list[Any]]:
    """Return the usable contacts of a list, and the odd ones: not an object, or too large to copy to each item."""
    usable: list[dict[str, Any]] = []
    odd: list[Any] = []
    for contact in contacts if isinstance(contacts, list) else []:
        (usable if isinstance(contact, dict) and is_small(contact) else odd).append(contact)
    return tuple(usable), odd


def _in_list(items: Item) -> Iterator[Item]:
    """Yield each item of a list, which `items` holds as its `raw`, and of the lists inside of the items."""
    for index, raw in enumerate(items.raw):
        item = items._replace(raw=raw, steps=(*items.steps, index))
        inner = _inner_lists(str(items.steps[-1]), raw)
        if not inner:
            yield item
            continue
        around, oversized = split_oversized(raw, leave=inner, keep=("id", "metadata"))
        if oversized:
            yield item._replace(raw=oversized)
        for key in inner:
            path, steps = f"{items.path}.{key}[]", (*item.steps, key)
            yield from _in_list(Item(raw[key], items.scope, path, steps, key, (*items.ancestors, around)))


def _inner_lists(list_name: str, raw: Any) -> list[str]:
    if not isinstance(raw, dict):
        return []
    return [key for key in INNER_LISTS.get(list_name, ()) if isinstance(raw.get(key), list) and raw[key]]
