"""Finds every item of a body, in order. What is odd on the way is an item itself: nothing is lost."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from app.domain.meta.context import Scope, is_small, split_oversized
from app.domain.meta.webhook_fields import item_keys, list_keys

INNER_LISTS = {"history": ("threads", "errors"), "threads": ("messages",)}
"""Lists whose items hold lists of items: pieces of history hold threads, and those hold messages."""


COMMON = ("messaging_product", "metadata")
"""What all items of a value have in common."""

Steps = tuple[int | str, ...]


class Item(NamedTuple):
    """An item, and where it stood. `key` is the list (or odd thing) of the value, `steps` the way to it."""

    raw: Any
    scope: Scope
    path: str
    steps: Steps
    key: str = ""
    ancestors: tuple[dict[str, Any], ...] = ()

    @property
    def is_listed(self) -> bool:
        """Tells whether it stood in a list, as an item should."""
        return self.path.endswith("[]")


def walk(body: dict[str, Any]) -> Iterator[Item]:
    """Every item; the body itself if it has no entries."""
    entries = body.get("entry")
    if not isinstance(entries, list) or not entries:
        yield Item(body, Scope(None, {}), "body", ())
        return
    for index, entry in enumerate(entries):
        yield from _in_entry(body.get("object"), entry, (index,))


def _in_entry(object_: Any, entry: Any, steps: Steps) -> Iterator[Item]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list) or not changes:
        yield Item(entry, Scope(object_, {}), "entry", steps)
        return
    around, too_much = split_oversized(entry, leave={"changes"}, keep=("id", "time"))
    if too_much:
        yield Item(too_much, Scope(object_, {}), "entry", steps)
    for index, change in enumerate(changes):
        yield from _in_change(Scope(object_, around), change, (*steps, index))


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
        yield _whole(scope, value, steps)


def _whole(outer: Scope, value: Any, steps: Steps) -> Item:
    if not isinstance(value, dict):
        return Item(value, outer, "value", steps)
    contacts, _ = _contacts(value.get("contacts"))
    return Item(value, replace(outer, value=value, contacts=contacts), "value", steps)


def _in_value(outer: Scope, value: dict[str, Any], keys: list[str], steps: Steps) -> Iterator[Item]:
    contacts, odd_contacts = _contacts(value.get("contacts"))
    around, too_much = split_oversized(value, leave=_lists(value), keep=COMMON)
    left = {**too_much, **{key: value[key] for key in list_keys(value) if key not in keys}}
    if odd_contacts:
        left["contacts"] = odd_contacts
    if left:
        common = {key: around[key] for key in COMMON if key in around}
        yield _whole(outer, {**common, **left}, steps)
    scope = replace(outer, value=around, contacts=contacts, is_only_item=_is_lone(value, keys))
    for key in keys:
        if isinstance(value[key], list):
            yield from _in_list(Item(value[key], scope, f"value.{key}[]", (*steps, key), key))
        else:
            yield Item(value[key], scope, f"value.{key}", (*steps, key), key)


def _lists(value: dict[str, Any]) -> set[str]:
    return {key for key, inside in value.items() if isinstance(inside, list)}.union(list_keys(value))


def _is_lone(value: dict[str, Any], keys: list[str]) -> bool:
    return sum(len(value[key]) if isinstance(value[key], list) else 1 for key in keys) == 1


def _contacts(listed: Any) -> tuple[tuple[dict[str, Any], ...], list[Any]]:
    """The contacts in a list, and what is odd among them."""
    ones = listed if isinstance(listed, list) else []
    fine = [isinstance(one, dict) and is_small(one) for one in ones]
    return (
        tuple(one for one, is_fine in zip(ones, fine, strict=True) if is_fine),
        [one for one, is_fine in zip(ones, fine, strict=True) if not is_fine],
    )


def _in_list(found: Item) -> Iterator[Item]:
    name = found.steps[-1]
    for index, item in enumerate(found.raw):
        one = found._replace(raw=item, steps=(*found.steps, index))
        inner = _inner_lists(str(name), item)
        if not inner:
            yield one
            continue
        around, too_much = split_oversized(item, leave=inner, keep=("id", "metadata"))
        if too_much:
            yield one._replace(raw=too_much)
        for key in inner:
            path, steps = f"{found.path}.{key}[]", (*one.steps, key)
            yield from _in_list(Item(item[key], found.scope, path, steps, key, (*found.ancestors, around)))


def _inner_lists(name: str, item: Any) -> list[str]:
    if not isinstance(item, dict):
        return []
    return [key for key in INNER_LISTS.get(name, ()) if isinstance(item.get(key), list) and item[key]]
