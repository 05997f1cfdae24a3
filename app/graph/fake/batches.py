"""Changes that wait to be posted together, in the state of the fake: any worker may add and post them."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from app.graph.fake.state import State
from app.graph.fake.webhooks import Change

KIND = "batch"
Waiting = tuple[str, Change]
"""A change, with the key under which it waits."""


def add_to_batch(state: State, name: str, change: Change) -> None:
    """Let a change wait in the batch of this name."""
    key = uuid.uuid4().hex
    state.update(KIND, name, lambda waiting: {**(waiting or {}), key: asdict(change)})


def batch_of(state: State, name: str) -> list[Waiting]:
    """Return the changes that wait in a batch, oldest first."""
    return [(key, Change(**change)) for key, change in (state.get(KIND, name) or {}).items()]


def remove_from_batch(state: State, name: str, keys: Iterable[str]) -> None:
    """Forget changes that were posted."""
    gone = set(keys)
    state.update(KIND, name, lambda waiting: {key: each for key, each in (waiting or {}).items() if key not in gone})


def in_webhooks(waiting: list[Waiting], batch: int) -> Iterator[list[Waiting]]:
    """Yield the changes of one webhook after the other: `batch` in each, or as many as the first of them allows."""
    while waiting:
        most = max(batch, waiting[0][1].batch)
        group, waiting = waiting[:most], waiting[most:]
        yield group
