"""Actions on many things of a running service: in the API's bounded steps, or one request for each id."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.confirm import confirm, require_terminal
from app.cli.progress import Step, count_of, report_progress
from app.cli.tables import print_json


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


@dataclass(frozen=True)
class BulkAction:
    """An action on things by their ids, or on all that a selection chooses; these are counted first.

    `path`: their list in the API. `verb` and `done`: the action in its routes and answers. `noun`: one of the things.
    """

    path: str
    verb: str
    done: str
    noun: str
    plural: str | None = None

    def run(
        self,
        client: Client,
        ids: Sequence[str],
        selection: Mapping[str, Any],
        *,
        dry_run: bool,
        yes: bool,
        as_json: bool,
    ) -> int:
        """Act by ids; or count what the selection chooses, ask, and act on that. Return how many things were changed.

        `dry_run`: only count. `yes`: do not ask.
        """
        if dry_run:
            count = len(ids) or self._count(client, selection)
            self._report(count, f"would be {self.done}", "matching", as_json=as_json)
            return 0
        if not ids and not yes:
            require_terminal()
            confirm(f"{self.verb.capitalize()} {self._things(self._count(client, selection))}?")
        paths = [f"{self.path}/{quote(id_, safe='')}/{self.verb}" for id_ in ids]
        steps = post_each(client, paths) if ids else self._steps(client, selection)
        count = report_progress(f"{self.verb}ing", steps)
        self._report(count, self.done, self.done, as_json=as_json)
        return count

    def _count(self, client: Client, selection: Mapping[str, Any]) -> int:
        return report_progress("counting", self._steps(client, {**selection, "dryRun": True}))

    def _steps(self, client: Client, selection: Mapping[str, Any]) -> Iterator[Step]:
        for answer in post_in_steps(client, f"{self.path}/{self.verb}", selection):
            count = answer[self.done]
            more = answer["nextCursor"] is not None
            yield Step(count, answer.get("seen", count), answer.get("left", 0), more=more)

    def _things(self, count: int) -> str:
        return count_of(count, self.noun, self.plural)

    def _report(self, count: int, what: str, key: str, *, as_json: bool) -> None:
        if as_json:
            print_json({key: count})
        else:
            begin = "" if key == "matching" else "done: "
            click.echo(f"{begin}{self._things(count)} {what}")
