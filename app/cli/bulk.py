"""Actions on many things of a running service: in the API's bounded steps, or one request for each id."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.cli.client import Client
from app.cli.progress import Step


def post_in_steps(client: Client, path: str, selection: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """POST a selection, repeat it with `nextCursor` until that is null, and yield each answer."""
    cursor = None
    while True:
        answer = client.post(path, {**selection, "cursor": cursor} if cursor else selection)
        yield answer
        cursor = answer["nextCursor"]
        if cursor is None:
            return


def post_each(client: Client, paths: Sequence[str]) -> Iterator[Step]:
    """POST to each path, and yield a step for it."""
    for left, path in zip(reversed(range(len(paths))), paths, strict=True):
        client.post(path)
        yield Step(done=1, checked=1, left=left, more=left > 0)
